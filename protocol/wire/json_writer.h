// JsonWriter: prints messages as Kafka's own JSON converters do, for logs, dumps and tests. Appends to a string, never
// fails: text that is not UTF-8 gets replacement characters.
// Why not nlohmann-json: this only prints, and it is compiled into every generated message.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/types/uuid.h"
#include "protocol/wire/bytes.h"
#include "protocol/wire/records.h"
#include "protocol/wire/text.h"

namespace cohort::protocol {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }
  void key(std::string_view name);

  void null() { literal("null"); }
  void value(bool value) { literal(value ? "true" : "false"); }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  void value(T number) {
    integer(static_cast<std::int64_t>(number));
  }
  void value(double number);  // shortest form that reads back the same; null for infinities and NaN
  void value(const Text& text);
  void value(const Uuid& uuid);    // 22 characters of URL-safe base64
  void value(const Bytes& bytes);  // standard base64 with padding
  void value(const Records& records) { value(records.bytes()); }
  template <typename T>
  void value(const std::optional<T>& maybe) {
    if (maybe)
      value(*maybe);
    else
      null();
  }
  template <typename T>
  void value(const std::vector<T>& values) {
    begin_array();
    for (const T& one : values) value(one);
    end_array();
  }

 private:
  void separate() {
    if (needs_comma_) out_ += ',';
    needs_comma_ = true;
  }
  void begin(char c) {
    separate();
    out_ += c;
    needs_comma_ = false;
  }
  void end(char c) {
    out_ += c;
    needs_comma_ = true;
  }
  void literal(std::string_view text) {
    separate();
    out_ += text;
  }
  void integer(std::int64_t number);
  void quoted(std::string_view text);

  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace cohort::protocol
