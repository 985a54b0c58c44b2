// Finds strings by a keyed hash in an array of entries that has a bound, and evicts in the order of a clock
// hand: neither the time nor the memory that a string takes depends on what a peer sends.
#include "inbox/interner.h"

#include <sys/random.h>
#include <time.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "wire/work.h"

namespace busbar::inbox {

namespace {

// Both halves of the product, which depend on all bits of both numbers.
uint64_t fold(uint64_t one, uint64_t other) {
#ifdef __SIZEOF_INT128__
  const unsigned __int128 product = static_cast<unsigned __int128>(one) * other;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
#else
  const uint64_t low = one & 0xffffffff, high = one >> 32, other_low = other & 0xffffffff,
                 other_high = other >> 32;
  const uint64_t bottom = low * other_low, top = high * other_high;
  const uint64_t middle = high * other_low + (bottom >> 32), rest = low * other_high + (middle & 0xffffffff);
  return (rest << 32 | (bottom & 0xffffffff)) ^ (top + (middle >> 32) + (rest >> 32));
#endif
}

// Enough for a connection that is idle, or talks to a few objects.
constexpr uint32_t kInitialEntries = 32;

}  // namespace

Interner::Interner(uint32_t capacity) : capacity_(capacity) {
  grow();
  // A peer that knew the keys could choose strings that share a bucket.
  if (getrandom(keys_.data(), sizeof keys_, GRND_NONBLOCK) != sizeof keys_) {
    // This happens only while a machine starts: values that a peer cannot read are the next best.
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    keys_ = {fold(static_cast<uint64_t>(now.tv_nsec) + 1, 0x9e3779b97f4a7c15),
             fold(reinterpret_cast<uintptr_t>(this), 0xd1b54a32d192ed03)};
  }
  // A multiplier of 0 would make one bucket of all.
  keys_[1] |= 1;
}

void Interner::begin_batch() {
  batch_++;
  transient_ = 0;
}

Interner::Key Interner::look_up(std::string_view text) const {
  if (text.size() > kMaxLength) return {text, 0, kNone};
  const uint32_t text_hash = hash(text);
  return {text, text_hash, find(text, text_hash)};
}

Interner::Result Interner::intern(const Key& key) {
  if (key.is_known()) {
    entries_[key.index].batch = batch_;
    return {static_cast<int32_t>(key.index) + 1, false};
  }
  const uint32_t index = key.text.size() <= kMaxLength ? claim() : kNone;
  if (index == kNone) return {static_cast<int32_t>(capacity_) + ++transient_, true};
  Entry& entry = entries_[index];
  entry.text.assign(key.text);
  entry.hash = key.hash;
  entry.batch = batch_;
  entry.marks = 0;
  entry.next = std::exchange(bucket(key.hash), index);
  return {static_cast<int32_t>(index) + 1, true};
}

void Interner::set_mark(int32_t id, unsigned mark) {
  const size_t index = static_cast<size_t>(id) - 1;
  // Strings of one batch only have no entry.
  if (index < entries_.size()) entries_[index].marks |= static_cast<uint8_t>(1u << mark);
}

// Eight bytes at a time; the last word overlaps the one before it. Both keys are in every step, so a peer
// that does not know them cannot choose two strings with the same hash.
uint32_t Interner::hash(std::string_view text) const {
  uint64_t value = keys_[0] ^ text.size();
  const auto mix = [&](const char* at, size_t length) {
    uint64_t word = 0;
    std::memcpy(&word, at, length);
    value = fold(value ^ word, keys_[1]) + keys_[0];
  };
  const char* at = text.data();
  size_t left = text.size();
  for (; left > 8; left -= 8, at += 8) mix(at, 8);
  if (text.size() >= 8) {
    mix(at + left - 8, 8);
  } else if (left >= 4) {
    mix(at, 4);
    mix(at + left - 4, 4);
  } else {
    for (; left > 0; left--, at++) mix(at, 1);
  }
  return static_cast<uint32_t>(value ^ value >> 32);
}

uint32_t Interner::find(std::string_view text, uint32_t hash) const {
  for (uint32_t i = buckets_[hash & (buckets_.size() - 1)]; i != kNone; i = entries_[i].next) {
    wire::step();
    if (entries_[i].hash == hash && entries_[i].text == text) return i;
  }
  return kNone;
}

void Interner::grow() {
  entries_.resize(std::min(capacity_, std::max(kInitialEntries, 2 * used_)));
  buckets_.assign(std::bit_ceil(entries_.size()), kNone);
  for (uint32_t index = 0; index < used_; index++) {
    Entry& entry = entries_[index];
    entry.next = std::exchange(bucket(entry.hash), index);
  }
}

uint32_t Interner::claim() {
  if (used_ == entries_.size() && used_ < capacity_) grow();
  if (used_ < entries_.size()) return used_++;
  for (size_t tried = 0; tried < entries_.size(); tried++) {
    const uint32_t index = hand_;
    hand_ = (hand_ + 1) % static_cast<uint32_t>(entries_.size());
    if (entries_[index].batch == batch_) continue;
    unlink(index);
    evictions_++;
    return index;
  }
  return kNone;
}

void Interner::unlink(uint32_t index) {
  uint32_t* link = &bucket(entries_[index].hash);
  while (*link != index) link = &entries_[*link].next;
  *link = entries_[index].next;
}

}  // namespace busbar::inbox
