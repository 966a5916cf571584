#include "protocol/base/log.h"

#include <algorithm>
#include <cstdio>
#include <string>

namespace cohort::log {
namespace {

void stderr_sink(Level level, std::string_view component, std::string_view text) {
  if (level >= Level::kWarn) {
    std::fprintf(stderr, "[%.*s] %.*s\n", static_cast<int>(component.size()), component.data(),
                 static_cast<int>(text.size()), text.data());
  }
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Clients choose names that end up in messages: they must not begin a line of their own or steer a terminal.
std::string escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    if (is_control(c)) {
      const auto byte = static_cast<unsigned char>(c);
      out += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0xfU]};
    } else {
      out += c;
    }
  }
  return out;
}

std::atomic<Sink> g_sink{stderr_sink};
std::atomic<Level> g_level{Level::kInfo};

}  // namespace

void set_sink(Sink sink) {
  g_sink.store(sink, std::memory_order_release);
}
void set_level(Level level) {
  g_level.store(level, std::memory_order_relaxed);
}
bool enabled(Level level) {
  return level >= g_level.load(std::memory_order_relaxed);
}
void write(Level level, std::string_view component, std::string_view text) {
  const Sink sink = g_sink.load(std::memory_order_acquire);
  if (std::ranges::any_of(text, is_control)) return sink(level, component, escaped(text));
  sink(level, component, text);
}

}  // namespace cohort::log
