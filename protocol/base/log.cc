#include "protocol/base/log.h"

#include <algorithm>
#include <array>
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

constexpr std::array<std::string_view, 7> kLevelNames = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF"};

constexpr auto kComponents = std::to_array<std::string_view>(
    {"Acceptor", "Api", "Catalogue", "ClassicGroups", "Config", "Connection", "ConsumerGroups", "GroupCoordinator",
     "Log", "LogSet", "Offsets", "Partition", "Server", "Shard", "ShardCore", "TopicRegex", "TopicStore"});
static_assert(std::ranges::is_sorted(kComponents));

constexpr int kInherits = -1;

struct Own {
  std::atomic<int> level{kInherits};
};
struct Levels {
  std::atomic<Level> root{Level::kInfo};
  std::array<Own, kComponents.size()> own;  // by component
};

std::atomic<Sink> g_sink{stderr_sink};

Levels& levels() {
  static Levels all;
  return all;
}

// Its place, or kComponents.size().
std::size_t index_of(std::string_view component) {
  const auto found = std::ranges::lower_bound(kComponents, component);
  const bool known = found != kComponents.end() && *found == component;
  return known ? static_cast<std::size_t>(found - kComponents.begin()) : kComponents.size();
}

Level lowest() {
  Level lowest = levels().root.load();
  for (const Own& own : levels().own) {
    if (const int level = own.level.load(); level != kInherits) lowest = std::min(lowest, static_cast<Level>(level));
  }
  return lowest;
}

// Of two changes at once, the one that looks last has seen both.
void note_lowest() {
  do {
    detail::g_lowest = lowest();
  } while (detail::g_lowest != lowest());
}

}  // namespace

namespace detail {

std::atomic<Level> g_lowest{Level::kInfo};

bool enabled_for(Level level, std::string_view component) {
  return level >= level_of(component);
}

}  // namespace detail

std::optional<Level> parse_level(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (upper == "ALL") return Level::kTrace;
  const auto found = std::ranges::find(kLevelNames, upper);
  if (found == kLevelNames.end()) return std::nullopt;
  return static_cast<Level>(found - kLevelNames.begin());
}

std::string_view name_of(Level level) {
  return kLevelNames[static_cast<std::size_t>(level)];
}

void set_sink(Sink sink) {
  g_sink.store(sink, std::memory_order_release);
}

std::span<const std::string_view> components() {
  return kComponents;
}

void set_level(Level root) {
  levels().root = root;
  note_lowest();
}

Level root_level() {
  return levels().root.load(std::memory_order_relaxed);
}

bool set_level(std::string_view component, std::optional<Level> level) {
  const std::size_t index = index_of(component);
  if (index == kComponents.size()) return false;
  levels().own[index].level = level ? static_cast<int>(*level) : kInherits;
  note_lowest();
  return true;
}

Level level_of(std::string_view component) {
  const std::size_t index = index_of(component);
  const int own = index == kComponents.size() ? kInherits : levels().own[index].level.load(std::memory_order_relaxed);
  return own == kInherits ? root_level() : static_cast<Level>(own);
}

void write(Level level, std::string_view component, std::string_view text) {
  const Sink sink = g_sink.load(std::memory_order_acquire);
  if (std::ranges::any_of(text, is_control)) return sink(level, component, escaped(text));
  sink(level, component, text);
}

}  // namespace cohort::log
