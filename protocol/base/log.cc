#include "protocol/base/log.h"

#include <cstdio>

namespace cohort::log {
namespace {

void stderr_sink(Level level, std::string_view component, std::string_view text) {
  if (level >= Level::kWarn) {
    std::fprintf(stderr, "[%.*s] %.*s\n", static_cast<int>(component.size()), component.data(),
                 static_cast<int>(text.size()), text.data());
  }
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
  g_sink.load(std::memory_order_acquire)(level, component, text);
}

}  // namespace cohort::log
