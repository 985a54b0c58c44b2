// The messages of one batch, laid out as src/native/binding.ts describes, in memory that JavaScript lent.
//
// The memory is lent for a batch, from `begin` to `end`: between batches a connection has none, so that an
// idle one costs little. A transport adds messages until `is_full`, or until one does not fit; then the batch
// is delivered. Adding is: `add_string` for each header string, then the body and descriptors, then `commit`.
// Without `commit` the message leaves no trace but strings that were announced, which does no harm.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "inbox/interner.h"
#include "inbox/recent_headers.h"
#include "inbox/spare_buffer.h"
#include "wire/header.h"
#include "wire/names.h"
#include "wire/writer.h"

namespace busbar::inbox {

// A row of the seam: `Column` in src/native/binding.ts.
struct Row {
  int32_t type = 0;
  int32_t flags = 0;
  int32_t serial = 0;
  int32_t reply_serial = 0;
  int32_t path = 0;
  int32_t interface = 0;
  int32_t member = 0;
  int32_t error_name = 0;
  int32_t destination = 0;
  int32_t sender = 0;
  int32_t signature = 0;
  int32_t body_offset = 0;
  int32_t body_length = 0;
  int32_t fd_offset = 0;
  int32_t fd_count = 0;
  int32_t fault = 0;
};
inline constexpr size_t kRowLength = 16;
static_assert(sizeof(Row) == kRowLength * sizeof(int32_t));

// `Fault` in src/native/binding.ts.
enum class Fault : int32_t {
  kNone = 0,
  kInvalidBody = 1,
  kUnsupportedBody = 2,
  kOutOfMemory = 3,
  kMessageSize = 4,
  kDecodedSize = 5,
  kInvalidHeader = 6,
};

// The fault of a row: its kind, and the rule that the message violates, if it is one of `wire::Rule`.
constexpr int32_t fault_code(Fault fault, wire::Rule rule = wire::Rule::kNone) {
  return static_cast<int32_t>(fault) | static_cast<int32_t>(rule) << 8;
}

// What one message may cost: `limits` of NativeConnectionOptions in src/native/binding.ts.
struct Limits {
  uint64_t message_size = wire::kMaxMessageLength;
  uint64_t decoded_size = UINT64_MAX;
};

// The header strings of one message at most: path, interface, member, error name, destination, sender,
// signature.
inline constexpr size_t kHeaderStrings = 7;
inline constexpr size_t kStringEntryLength = 3;

struct InboxMemory {
  std::span<uint8_t> arena;
  std::span<int32_t> rows;
  std::span<int32_t> strings;
  std::span<int32_t> fds;
  // For the bytes that messages are found in.
  SpareBuffer* buffer;
};

class Inbox {
 public:
  explicit Inbox(Limits limits = {}) : limits_(limits) {}

  const Limits& limits() const { return limits_; }

  // What messages may be received into.
  SpareBuffer& buffer() const { return *memory_.buffer; }
  // Begins another batch, in this memory. The receiver of the last one owns its descriptors by now.
  void begin(const InboxMemory& memory);
  // The batch was delivered: its memory is not used any more.
  void end();

  bool is_empty() const { return rows_ == 0; }
  // Whether no further message may be added, whatever its size.
  bool is_full() const;
  int32_t count() const { return static_cast<int32_t>(rows_); }
  bool has_calls() const;
  // The serial that the last reply in the batch answers; 0 if there is none.
  uint32_t last_reply_serial() const;
  int32_t new_strings() const { return static_cast<int32_t>(strings_); }
  // Whether the batch is one message that was too large for the arena: its body, with strings of its header
  // behind it that had no room either.
  bool has_large_body() const { return large_.has_value(); }
  std::span<const uint8_t> large_body() const;
  // The large body cannot be handed over after all.
  void fail_large_body();
  // Gives the memory of the large body back: it was handed over.
  void release_large_body() { large_.reset(); }

  // The id of a header string; none if the arena is full.
  std::optional<int32_t> add_string(std::string_view text);
  // As above, for the field `name` of a message's header. What breaks the grammar of names is not added;
  // `rule` tells. Names that were seen before are not judged again.
  std::optional<int32_t> add_name(wire::Name name, std::string_view text, wire::Rule& rule);
  // The id of a header string that is `offset` bytes into the memory of a large body.
  int32_t add_long_name(std::string_view text, size_t offset);
  // Fills in what the header of a message says, if the same header came before; null if not.
  const RecentHeaders::Entry* add_known_header(std::span<const uint8_t> bytes, const wire::Frame& frame,
                                               Row& row);
  // Remembers the header of a message for that. It breaks no rule, and its strings were added.
  void keep_header(std::span<const uint8_t> bytes, const wire::Frame& frame, const wire::Header& header,
                   const Row& row);
  // The free part of the arena for a body, on an 8-byte boundary, and its offset.
  std::span<uint8_t> body_space() const;
  int32_t body_offset() const { return static_cast<int32_t>((arena_used_ + 7) & ~size_t{7}); }
  // The free part of the list of descriptors, and its offset.
  std::span<int32_t> fd_space() const { return memory_.fds.subspan(fds_); }
  int32_t fd_offset() const { return static_cast<int32_t>(fds_); }

  // Adds the message. Its body was written to `body_space`, its descriptors to `fd_space`; both are the
  // inbox's now.
  void commit(const Row& row);
  // Adds a message whose body has memory of its own. The batch must be empty, and is full afterwards.
  void commit_large(const Row& row, wire::Writer body);

  // For what is not delivered: closes the descriptors of the messages from `row` on.
  void close_fds(int32_t row);
  // Whether the receiver marked the row as taken, by setting its type to 0.
  bool is_taken(int32_t row) const { return *row_at(static_cast<size_t>(row)) == 0; }

 private:
  std::optional<int32_t> add(const Interner::Key& key);
  int32_t* row_at(size_t row) const { return memory_.rows.data() + row * kRowLength; }
  Row read_row(size_t row) const;
  void write_row(size_t row, const Row& values);

  InboxMemory memory_;
  const Limits limits_;
  Interner interner_;
  RecentHeaders recent_;
  size_t arena_used_ = 0;
  size_t rows_ = 0;
  size_t strings_ = 0;
  size_t fds_ = 0;
  std::optional<wire::Writer> large_;
};

}  // namespace busbar::inbox
