#include "server/config/properties.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace cohort::config {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\f';
}

// Takes physical lines apart and joins continued ones.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}

  // The next logical line without leading blanks, comments and empty lines left out. False at the end.
  bool next(std::string& line, int& number) {
    line.clear();
    while (auto first = physical()) {
      if (first->empty() || first->front() == '#' || first->front() == '!') continue;
      number = number_;
      line = *first;
      while (continued(line)) {
        line.pop_back();
        auto more = physical();
        if (!more) break;
        line += *more;
      }
      return true;
    }
    return false;
  }

 private:
  std::optional<std::string_view> physical() {
    if (rest_.empty()) return std::nullopt;
    ++number_;
    const std::size_t end = rest_.find_first_of("\r\n");
    std::string_view line = rest_.substr(0, end);
    if (end == std::string_view::npos) {
      rest_ = {};
    } else {
      const bool two = rest_.substr(end, 2) == "\r\n";
      rest_.remove_prefix(end + (two ? 2 : 1));
    }
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    return line;
  }

  // An odd number of backslashes at the end.
  static bool continued(std::string_view line) {
    const std::size_t last = line.find_last_not_of('\\');
    const std::size_t count = last == std::string_view::npos ? line.size() : line.size() - last - 1;
    return count % 2 == 1;
  }

  std::string_view rest_;
  int number_ = 0;
};

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// Resolves escapes of text into out; false on a broken \u escape.
bool unescape(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    switch (c) {
      case 't':
        out += '\t';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 'f':
        out += '\f';
        break;
      case 'u': {
        const std::string_view digits = text.substr(i + 1, 4);
        unsigned code = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        if (digits.size() != 4 || error != std::errc{} || end != digits.data() + 4) return false;
        append_utf8(out, code);
        i += 4;
        break;
      }
      default:
        out += c;
    }
  }
  return true;
}

// Where the key ends: the first blank, '=' or ':' that is not escaped.
std::size_t key_end(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '=' || line[i] == ':' || is_blank(line[i])) {
      return i;
    }
  }
  return line.size();
}

}  // namespace

Result<std::vector<Property>> parse_properties(std::string_view text) {
  std::vector<Property> properties;
  LineReader lines(text);
  std::string line;
  int number = 0;
  while (lines.next(line, number)) {
    const std::string_view view = line;
    const std::size_t end = key_end(view);
    std::size_t value = end;
    while (value < view.size() && is_blank(view[value])) ++value;
    if (value < view.size() && (view[value] == '=' || view[value] == ':')) {
      ++value;
      while (value < view.size() && is_blank(view[value])) ++value;
    }
    Property property{.key = {}, .value = {}, .line = number};
    if (!unescape(view.substr(0, end), property.key) || !unescape(view.substr(value), property.value)) {
      return fail(ErrorKind::kInvalid, fmt::format("line {}: \\u must be followed by four hexadecimal digits", number));
    }
    properties.push_back(std::move(property));
  }
  return properties;
}

}  // namespace cohort::config
