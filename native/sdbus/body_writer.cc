// Appends a body value by value, by recursive descent over its signature. The bytes come from our own
// encoder, but are checked as if they did not: no bytes of JavaScript may lead to a bad pointer.
#include "sdbus/body_writer.h"

#include <cerrno>
#include <cstring>

#include "wire/header.h"
#include "wire/signature.h"
#include "wire/utf8.h"

namespace busbar::sdbus {

int BodyWriter::write(std::string_view signature) {
  const int r = write_types(signature, 0);
  if (r < 0) return r;
  return reader_.left() == 0 ? 0 : -EINVAL;
}

int BodyWriter::write_types(std::string_view types, unsigned depth) {
  while (!types.empty()) {
    const size_t length = wire::complete_type_length(types);
    if (length == 0) return -EINVAL;
    const int r = write_type(types.substr(0, length), depth);
    if (r < 0) return r;
    types.remove_prefix(length);
  }
  return 0;
}

int BodyWriter::write_type(std::string_view type, unsigned depth) {
  if (wire::is_basic(type[0])) return write_basic(type[0]);
  if (++depth > wire::kMaxTotalDepth) return -EINVAL;
  if (type[0] == 'a') return write_array(type.substr(1), depth);
  if (type[0] == 'v') return write_variant(depth);
  const std::string_view members = type.substr(1, type.size() - 2);
  if (!reader_.align(8)) return -EINVAL;
  int r = open(type[0] == '(' ? 'r' : 'e', members);
  if (r >= 0) r = write_types(members, depth);
  return r < 0 ? r : api_.sd_bus_message_close_container(message_);
}

int BodyWriter::write_basic(char code) {
  if (code == 's' || code == 'o' || code == 'g') return write_text(code);
  const size_t size = wire::alignment_of(code);
  const uint8_t* at;
  if (!reader_.align(size) || !reader_.take(size, at)) return -EINVAL;
  // Aligned, and wide enough for whatever type sd-bus reads through the pointer.
  uint64_t value = 0;
  std::memcpy(&value, at, size);
  if (code == 'b' && value > 1) return -EINVAL;
  if (code == 'h') {
    if (value >= fds_.size()) return -EINVAL;
    return api_.sd_bus_message_append_basic(message_, 'h', &fds_[value]);
  }
  return api_.sd_bus_message_append_basic(message_, code, &value);
}

int BodyWriter::write_text(char code) {
  std::string_view text;
  if (!(code == 'g' ? reader_.signature(text) : reader_.string(text))) return -EINVAL;
  const int r = api_.sd_bus_message_append_basic(message_, code, text.data());
  const bool refused = r == -EINVAL && code == 's';
  return refused && wire::is_text(reinterpret_cast<const uint8_t*>(text.data()), text.size()) ? -EILSEQ : r;
}

int BodyWriter::write_array(std::string_view element, unsigned depth) {
  uint32_t length;
  if (!reader_.uint32(length) || length > wire::kMaxArrayLength) return -EINVAL;
  if (!reader_.align(wire::alignment_of(element[0])) || length > reader_.left()) return -EINVAL;
  if (const size_t size = wire::plain_size(element[0])) {
    const uint8_t* at;
    if (length % size != 0 || !reader_.take(length, at)) return -EINVAL;
    return api_.sd_bus_message_append_array(message_, element[0], at, length);
  }
  const size_t end = reader_.offset() + length;
  int r = open('a', element);
  while (r >= 0 && reader_.offset() < end) r = write_type(element, depth);
  if (r < 0) return r;
  return reader_.offset() == end ? api_.sd_bus_message_close_container(message_) : -EINVAL;
}

int BodyWriter::write_variant(unsigned depth) {
  std::string_view type;
  if (!reader_.signature(type) || !wire::is_single_complete_type(type)) return -EINVAL;
  int r = open('v', type);
  if (r >= 0) r = write_type(type, depth);
  return r < 0 ? r : api_.sd_bus_message_close_container(message_);
}

int BodyWriter::open(char kind, std::string_view contents) {
  char terminated[wire::kMaxSignatureLength + 1];
  if (contents.size() > wire::kMaxSignatureLength) return -EINVAL;
  std::memcpy(terminated, contents.data(), contents.size());
  terminated[contents.size()] = '\0';
  return api_.sd_bus_message_open_container(message_, kind, terminated);
}

}  // namespace busbar::sdbus
