// The table behind Interner: chained hashing over a fixed array of entries, evicted in the order of a clock
// hand.
#include "transport/interner.h"

#include <time.h>

namespace busbar::transport {

Interner::Interner(uint32_t capacity) : entries_(capacity), buckets_(capacity, kNone) {
  // A seed that peers cannot know keeps them from choosing strings that share a bucket.
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  seed_ = static_cast<uint32_t>(now.tv_nsec) ^ static_cast<uint32_t>(reinterpret_cast<uintptr_t>(this) >> 4);
}

void Interner::begin_batch() {
  batch_++;
  transient_ = 0;
}

bool Interner::knows(std::string_view text) const {
  return text.size() <= kMaxLength && find(text, hash(text)) != kNone;
}

Interner::Result Interner::intern(std::string_view text) {
  if (text.size() <= kMaxLength) {
    const uint32_t text_hash = hash(text);
    const uint32_t known = find(text, text_hash);
    if (known != kNone) {
      entries_[known].batch = batch_;
      return {static_cast<int32_t>(known) + 1, false};
    }
    const uint32_t index = claim();
    if (index != kNone) {
      Entry& entry = entries_[index];
      uint32_t& bucket = buckets_[text_hash % buckets_.size()];
      entry.text.assign(text);
      entry.hash = text_hash;
      entry.batch = batch_;
      entry.next = bucket;
      bucket = index;
      return {static_cast<int32_t>(index) + 1, true};
    }
  }
  return {static_cast<int32_t>(entries_.size()) + ++transient_, true};
}

// FNV-1a, seeded, with a final mix so that the low bits depend on all.
uint32_t Interner::hash(std::string_view text) const {
  uint32_t value = 2166136261u ^ seed_;
  for (const char c : text) value = (value ^ static_cast<uint8_t>(c)) * 16777619u;
  value ^= value >> 15;
  return value * 2246822519u;
}

uint32_t Interner::find(std::string_view text, uint32_t hash) const {
  for (uint32_t i = buckets_[hash % buckets_.size()]; i != kNone; i = entries_[i].next) {
    if (entries_[i].hash == hash && entries_[i].text == text) return i;
  }
  return kNone;
}

uint32_t Interner::claim() {
  if (used_ < entries_.size()) return used_++;
  for (size_t tried = 0; tried < entries_.size(); tried++) {
    const uint32_t index = hand_;
    hand_ = (hand_ + 1) % static_cast<uint32_t>(entries_.size());
    if (entries_[index].batch == batch_) continue;
    unlink(index);
    return index;
  }
  return kNone;
}

void Interner::unlink(uint32_t index) {
  uint32_t* link = &buckets_[entries_[index].hash % buckets_.size()];
  while (*link != index) link = &entries_[*link].next;
  *link = entries_[index].next;
}

}  // namespace busbar::transport
