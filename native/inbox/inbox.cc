// Keeps count of what a batch has used of the lent memory, and trusts no number that JavaScript may have
// changed in it.
#include "inbox/inbox.h"

#include <unistd.h>

#include <cstring>
#include <utility>

namespace busbar::inbox {

void Inbox::begin(const InboxMemory& memory) {
  end();
  memory_ = memory;
  interner_.begin_batch();
}

void Inbox::end() {
  memory_ = {};
  arena_used_ = rows_ = strings_ = fds_ = 0;
  large_.reset();
}

bool Inbox::is_full() const {
  return large_.has_value() || (rows_ + 1) * kRowLength > memory_.rows.size() ||
         (strings_ + kHeaderStrings) * kStringEntryLength > memory_.strings.size();
}

bool Inbox::has_calls() const {
  for (size_t row = 0; row < rows_; row++)
    if (*row_at(row) == wire::kMethodCall) return true;
  return false;
}

uint32_t Inbox::last_reply_serial() const {
  for (size_t row = rows_; row > 0; row--) {
    const Row message = read_row(row - 1);
    if (message.reply_serial != 0) return static_cast<uint32_t>(message.reply_serial);
  }
  return 0;
}

std::span<const uint8_t> Inbox::large_body() const {
  return large_ ? large_->bytes() : std::span<const uint8_t>{};
}

void Inbox::fail_large_body() {
  Row row = read_row(0);
  close_fds(0);
  row.body_length = row.fd_count = 0;
  row.fault = fault_code(Fault::kOutOfMemory);
  // Strings that were to be handed over with it are lost as well; they were added last.
  while (strings_ > 0) {
    const int32_t* entry = memory_.strings.data() + (strings_ - 1) * kStringEntryLength;
    if (entry[1] >= 0) break;
    for (int32_t* id : {&row.path, &row.interface, &row.member, &row.error_name}) {
      if (*id == entry[0]) *id = 0;
    }
    strings_--;
  }
  write_row(0, row);
  fds_ = 0;
}

int32_t Inbox::add_long_name(std::string_view text, size_t offset) {
  const Interner::Result result = interner_.intern(text);
  int32_t* entry = memory_.strings.data() + strings_++ * kStringEntryLength;
  entry[0] = result.id;
  entry[1] = ~static_cast<int32_t>(offset);
  entry[2] = static_cast<int32_t>(text.size());
  return result.id;
}

std::optional<int32_t> Inbox::add_string(std::string_view text) { return add(interner_.look_up(text)); }

std::optional<int32_t> Inbox::add_name(wire::Name name, std::string_view text, wire::Rule& rule) {
  const Interner::Key key = interner_.look_up(text);
  const unsigned mark = static_cast<unsigned>(name);
  if (interner_.has_mark(key, mark)) return add(key);
  rule = wire::check_name(name, text);
  if (rule != wire::Rule::kNone) return std::nullopt;
  const std::optional<int32_t> id = add(key);
  if (id) interner_.set_mark(*id, mark);
  return id;
}

const RecentHeaders::Entry* Inbox::add_known_header(std::span<const uint8_t> bytes, const wire::Frame& frame,
                                                    Row& row) {
  const RecentHeaders::Entry* entry = recent_.find(bytes, frame, interner_.evictions());
  if (entry == nullptr) return nullptr;
  const auto& [path, interface, member, error_name, destination, sender, signature] = entry->row.ids;
  for (const int32_t id : entry->row.ids) interner_.use(id);
  row.type = entry->row.type;
  row.flags = entry->row.flags;
  row.path = path;
  row.interface = interface;
  row.member = member;
  row.error_name = error_name;
  row.destination = destination;
  row.sender = sender;
  row.signature = signature;
  return entry;
}

void Inbox::keep_header(std::span<const uint8_t> bytes, const wire::Frame& frame, const wire::Header& header,
                        const Row& row) {
  const HeaderRow kept{
      row.type,
      row.flags,
      {row.path, row.interface, row.member, row.error_name, row.destination, row.sender, row.signature}};
  for (const int32_t id : kept.ids)
    if (!interner_.is_kept(id)) return;
  recent_.keep(bytes, frame, header, kept, interner_.evictions());
}

std::optional<int32_t> Inbox::add(const Interner::Key& key) {
  // Room first: a string that is in the table but was not announced would be unknown to JavaScript for ever.
  const std::string_view text = key.text;
  if (!key.is_known() && text.size() > memory_.arena.size() - arena_used_) return std::nullopt;
  const Interner::Result result = interner_.intern(key);
  if (result.is_new) {
    int32_t* entry = memory_.strings.data() + strings_++ * kStringEntryLength;
    entry[0] = result.id;
    entry[1] = static_cast<int32_t>(arena_used_);
    entry[2] = static_cast<int32_t>(text.size());
    if (!text.empty()) std::memcpy(memory_.arena.data() + arena_used_, text.data(), text.size());
    arena_used_ += text.size();
  }
  return result.id;
}

std::span<uint8_t> Inbox::body_space() const {
  const size_t offset = static_cast<size_t>(body_offset());
  return offset < memory_.arena.size() ? memory_.arena.subspan(offset) : std::span<uint8_t>{};
}

void Inbox::commit(const Row& row) {
  write_row(rows_++, row);
  if (row.body_length > 0)
    arena_used_ = static_cast<size_t>(row.body_offset) + static_cast<size_t>(row.body_length);
  fds_ += static_cast<size_t>(row.fd_count);
}

void Inbox::commit_large(const Row& row, wire::Writer body) {
  write_row(rows_++, row);
  fds_ += static_cast<size_t>(row.fd_count);
  large_.emplace(std::move(body));
}

void Inbox::close_fds(int32_t row) {
  for (; static_cast<size_t>(row) < rows_; row++) {
    if (is_taken(row)) continue;
    const Row message = read_row(static_cast<size_t>(row));
    // The rows were in JavaScript's hands: trust no number of them.
    if (message.fd_offset < 0 || message.fd_count < 0) continue;
    const size_t first = static_cast<size_t>(message.fd_offset),
                 count = static_cast<size_t>(message.fd_count);
    if (first > fds_ || count > fds_ - first) continue;
    for (const int fd : memory_.fds.subspan(first, count)) ::close(fd);
  }
}

Row Inbox::read_row(size_t row) const {
  Row values;
  std::memcpy(static_cast<void*>(&values), row_at(row), sizeof values);
  return values;
}

void Inbox::write_row(size_t row, const Row& values) { std::memcpy(row_at(row), &values, sizeof values); }

}  // namespace busbar::inbox
