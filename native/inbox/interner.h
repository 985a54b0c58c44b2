// Header strings as small integers: a table that grows up to a bound and evicts from then on.
//
// Paths, interfaces, members and names repeat in nearly every message; each crosses to JavaScript once and is
// an id from then on. Ids are given per batch: an id that was handed out in a batch means the same string
// until the batch ends, whatever else arrives in it. An evicted string's id goes to another string in a later
// batch, as new.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace busbar::inbox {

class Interner {
  static constexpr uint32_t kNone = UINT32_MAX;

 public:
  struct Result {
    // 1 and up; 0 stands for an absent string.
    int32_t id;
    // The string must be announced with this batch.
    bool is_new;
  };

  // Longer strings are not worth a place: they get an id for this batch only.
  static constexpr size_t kMaxLength = 255;

  // A string that was looked up, so that finding it and adding it take one search. Of use until the next
  // call of `intern` or `begin_batch`.
  struct Key {
    std::string_view text;
    uint32_t hash;
    uint32_t index;

    bool is_known() const { return index != kNone; }
  };

  // A table of up to `capacity` strings.
  explicit Interner(uint32_t capacity = 4096);

  // Begins another batch: strings of earlier ones may be evicted, and ids for one batch are free again.
  void begin_batch();

  // Changes nothing.
  Key look_up(std::string_view text) const;
  // Whether `text` is in the table.
  bool knows(std::string_view text) const { return look_up(text).is_known(); }

  Result intern(const Key& key);
  Result intern(std::string_view text) { return intern(look_up(text)); }

  // One of 8 marks for what the inbox found out about a string, kept for as long as it is in the table.
  bool has_mark(const Key& key, unsigned mark) const {
    return key.is_known() && (entries_[key.index].marks >> mark & 1) != 0;
  }
  void set_mark(int32_t id, unsigned mark);

  // How many strings were evicted so far: as long as it stays the same, an id of the table means the same.
  uint64_t evictions() const { return evictions_; }
  // Whether the id is one of the table, and not of one batch only.
  bool is_kept(int32_t id) const { return static_cast<size_t>(id) <= entries_.size(); }
  // Uses a string of the table in this batch, as `intern` does; 0 is no string.
  void use(int32_t id) {
    if (id > 0) entries_[static_cast<size_t>(id) - 1].batch = batch_;
  }

 private:
  struct Entry {
    std::string text;
    uint32_t hash = 0;
    // Index of the next entry with the same bucket; kNone at the end.
    uint32_t next = kNone;
    uint64_t batch = 0;
    uint8_t marks = 0;
  };

  uint32_t hash(std::string_view text) const;
  uint32_t& bucket(uint32_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
  uint32_t find(std::string_view text, uint32_t hash) const;
  // A free or evicted entry, out of the table; kNone when every string is of this batch.
  uint32_t claim();
  // Doubles the table, within its capacity.
  void grow();
  void unlink(uint32_t index);

  const uint32_t capacity_;
  std::vector<Entry> entries_;
  // As many as a power of two, and at least as many as there are entries.
  std::vector<uint32_t> buckets_;
  uint32_t used_ = 0;
  // Where the search for the next entry to evict goes on.
  uint32_t hand_ = 0;
  uint64_t batch_ = 1;
  uint64_t evictions_ = 0;
  int32_t transient_ = 0;
  std::array<uint64_t, 2> keys_{};
};

}  // namespace busbar::inbox
