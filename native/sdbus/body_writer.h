// Appends a marshalled body to an sd_bus_message, value by value: sd-bus takes no body bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sdbus/api.h"
#include "wire/reader.h"

namespace busbar::sdbus {

class BodyWriter {
 public:
  BodyWriter(const Api& api, sd_bus_message* message, std::span<const uint8_t> body,
             std::span<const int32_t> fds)
      : api_(api), message_(message), reader_(body), fds_(fds) {}

  // Appends the whole body. Returns 0 or a negative errno: -EILSEQ for text that D-Bus allows and sd-bus does
  // not (Unicode noncharacters), -EINVAL for what does not fit, or what sd-bus answered.
  [[nodiscard]] int write(std::string_view signature);

 private:
  int write_types(std::string_view types, unsigned depth);
  int write_type(std::string_view type, unsigned depth);
  int write_basic(char code);
  int write_text(char code);
  int write_array(std::string_view element, unsigned depth);
  int write_variant(unsigned depth);
  int open(char kind, std::string_view contents);

  const Api& api_;
  sd_bus_message* message_;
  wire::Reader reader_;
  std::span<const int32_t> fds_;
};

}  // namespace busbar::sdbus
