// Reads a body value by value, by recursive descent over its signature.
#include "sdbus/body_reader.h"

#include <bit>
#include <cerrno>
#include <cstring>

#include "wire/cost.h"
#include "wire/header.h"
#include "wire/signature.h"
#include "wire/utf8.h"

namespace busbar::sdbus {

// Values are copied as they lie in memory; the seam is little-endian.
static_assert(std::endian::native == std::endian::little);

BodyFault BodyReader::read() {
  const char* signature = api_.sd_bus_message_get_signature(message_, 1);
  if (signature == nullptr || api_.sd_bus_message_rewind(message_, 1) < 0) return BodyFault::kInvalid;
  if (!read_types(signature, 0) || !charge(0)) return fault_;
  return api_.sd_bus_message_at_end(message_, 1) > 0 ? BodyFault::kNone : BodyFault::kInvalid;
}

bool BodyReader::charge(uint64_t cost) {
  cost_ += cost;
  if (writer_.size() > limits_.message_size) return fail(BodyFault::kMessageSize);
  return cost_ + writer_.size() + fds_.size() * uint64_t{wire::kFdCost} <= limits_.decoded_size ||
         fail(BodyFault::kDecodedSize);
}

bool BodyReader::read_types(std::string_view types, unsigned depth) {
  while (!types.empty()) {
    const size_t length = wire::complete_type_length(types);
    if (length == 0) return invalid();
    if (!read_type(types.substr(0, length), depth)) return false;
    types.remove_prefix(length);
  }
  return true;
}

bool BodyReader::read_type(std::string_view type, unsigned depth) {
  if (wire::is_basic(type[0])) return read_basic(type[0]);
  // sd-bus goes deeper than the specification's limit.
  if (++depth > wire::kMaxTotalDepth) return invalid();
  if (type[0] == 'a') return read_array(type.substr(1), depth);
  if (type[0] == 'v') return read_variant(depth);
  const std::string_view members = type.substr(1, type.size() - 2);
  return charge(wire::kValueCosts[wire::Op::kStruct]) && written(writer_.align(8)) && enter('r', members) &&
         read_types(members, depth) && leave();
}

bool BodyReader::read_basic(char code) {
  cost_ += wire::kValueCosts[wire::single_op(code)->code];
  if (code == 's' || code == 'o' || code == 'g') return read_text(code);
  uint64_t value = 0;
  if (api_.sd_bus_message_read_basic(message_, code, &value) <= 0) return invalid();
  if (code == 'h') {
    // sd-bus has turned the index into the descriptor: turn it back.
    int fd;
    std::memcpy(&fd, &value, sizeof fd);
    const int32_t index = fds_.index_of(fd);
    return written(index >= 0 && writer_.uint32(static_cast<uint32_t>(index)));
  }
  // Booleans are read as an int, of which sd-bus makes 0 or 1 whatever was sent.
  const size_t size = wire::alignment_of(code);
  return written(writer_.align(size) && writer_.append(&value, size));
}

bool BodyReader::read_text(char code) {
  const char* text = nullptr;
  if (api_.sd_bus_message_read_basic(message_, code, &text) <= 0) {
    return fail(code == 's' ? BodyFault::kRefusedText : BodyFault::kInvalid);
  }
  const size_t length = std::strlen(text);
  text_ = {text, length};
  bool is_ascii = true;
  // sd-bus has checked it; one character beyond Latin-1 makes all of them take two bytes.
  if (code == 's' && wire::is_text(reinterpret_cast<const uint8_t*>(text), length, is_ascii) && !is_ascii) {
    cost_ += length;
  }
  if (code != 'g') {
    return written(writer_.uint32(static_cast<uint32_t>(length)) && writer_.append(text, length + 1));
  }
  // sd-bus lets a dict entry outside an array pass.
  if (!wire::is_valid_signature({text, length})) return invalid();
  const uint8_t short_length = static_cast<uint8_t>(length);
  return written(writer_.append(&short_length, 1) && writer_.append(text, length + 1));
}

bool BodyReader::read_array(std::string_view element, unsigned depth) {
  if (!written(writer_.uint32(0))) return false;
  const size_t length_at = writer_.size() - 4;
  if (!written(writer_.align(wire::alignment_of(element[0])))) return false;
  const size_t begin = writer_.size();
  const size_t plain = wire::plain_size(element[0]);
  cost_ += wire::kSlotCost;
  if (!(plain > 0 ? read_plain_array(element[0]) : read_elements(element, depth))) return false;
  const size_t length = writer_.size() - begin;
  if (length > wire::kMaxArrayLength) return invalid();
  if (plain > 0 && !charge(wire::number_array_cost(plain, element[0] == 'd', length / plain))) return false;
  writer_.patch_uint32(length_at, static_cast<uint32_t>(length));
  return true;
}

bool BodyReader::read_plain_array(char code) {
  const void* data = nullptr;
  size_t size = 0;
  const int r = api_.sd_bus_message_read_array(message_, code, &data, &size);
  // It lends the memory of the message, so it cannot serve one in the other byte order.
  if (r == -EOPNOTSUPP) return read_elements(std::string_view(&code, 1), 0);
  // It does not check that the array holds whole elements either.
  if (r <= 0 || size % wire::plain_size(code) != 0) return invalid();
  return written(writer_.append(data, size));
}

bool BodyReader::read_elements(std::string_view element, unsigned depth) {
  if (!enter('a', element)) return false;
  const bool is_dict = element[0] == '{';
  const bool is_object = is_dict && (element[1] == 's' || element[1] == 'o' || element[1] == 'g');
  const uint64_t whole = is_object ? wire::kObjectCost : is_dict ? wire::kMapCost : wire::kArrayCost;
  const uint32_t each = is_object ? wire::kObjectEntryCost : is_dict ? wire::kMapEntryCost : 0;
  uint32_t indices = 0;
  bool is_first = true;
  if (!charge(whole)) return false;
  for (;;) {
    const int at_end = api_.sd_bus_message_at_end(message_, 0);
    if (at_end < 0) return invalid();
    if (at_end > 0) return leave();
    if (is_first && !is_dict) cost_ += wire::kFirstElementCost;
    is_first = false;
    if (!(is_dict ? read_entry(element, depth, indices) : read_type(element, depth)) || !charge(each))
      return false;
  }
}

bool BodyReader::read_entry(std::string_view entry, unsigned depth, uint32_t& indices) {
  if (++depth > wire::kMaxTotalDepth) return invalid();
  const std::string_view members = entry.substr(1, entry.size() - 2);
  if (!written(writer_.align(8)) || !enter('e', members) || !read_basic(members[0])) return false;
  if (members[0] == 's') cost_ += wire::index_cost(text_, indices);
  return read_types(members.substr(1), depth) && leave();
}

bool BodyReader::read_variant(unsigned depth) {
  char kind = 0;
  const char* peeked = nullptr;
  if (api_.sd_bus_message_peek_type(message_, &kind, &peeked) <= 0 || kind != 'v') return invalid();
  const std::string_view type = peeked;
  if (!wire::is_single_complete_type(type)) return invalid();
  cost_ += wire::kVariantCost;
  const uint8_t length = static_cast<uint8_t>(type.size());
  return written(writer_.append(&length, 1) && writer_.append(peeked, type.size() + 1)) && enter('v', type) &&
         read_type(type, depth) && leave();
}

bool BodyReader::enter(char kind, std::string_view contents) {
  char terminated[wire::kMaxSignatureLength + 1];
  std::memcpy(terminated, contents.data(), contents.size());
  terminated[contents.size()] = '\0';
  return api_.sd_bus_message_enter_container(message_, kind, terminated) > 0 || invalid();
}

bool BodyReader::leave() { return api_.sd_bus_message_exit_container(message_) >= 0 || invalid(); }

}  // namespace busbar::sdbus
