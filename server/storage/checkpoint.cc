#include "server/storage/checkpoint.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "protocol/batch/crc32c.h"

namespace cohort::storage {
namespace {

// The value of the line `key=value` at the start of rest, which then begins behind that line.
std::optional<std::string_view> take(std::string_view& rest, std::string_view key) {
  if (!rest.starts_with(key) || rest.size() <= key.size() || rest[key.size()] != '=') return std::nullopt;
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view value = rest.substr(key.size() + 1, end - key.size() - 1);
  rest.remove_prefix(end + 1);
  return value;
}

std::optional<std::uint64_t> take_number(std::string_view& rest, std::string_view key, int base = 10) {
  const auto digits = take(rest, key);
  if (!digits) return std::nullopt;
  std::uint64_t value = 0;
  const auto [last, error] = std::from_chars(digits->data(), digits->data() + digits->size(), value, base);
  if (error != std::errc() || last != digits->data() + digits->size()) return std::nullopt;
  return value;
}

std::string epochs_line(const LeaderEpochs& epochs) {
  std::string line = "epochs=";
  for (const EpochStart& entry : epochs.entries()) line += fmt::format("{}:{},", entry.epoch, entry.first_offset);
  if (line.ends_with(',')) line.pop_back();
  return line + '\n';
}

// One number at the front of rest and the character behind it, if there is more.
template <typename Number>
bool take_field(std::string_view& rest, char behind, Number& value) {
  const auto [last, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc() || value < 0) return false;
  rest.remove_prefix(static_cast<std::size_t>(last - rest.data()));
  if (rest.empty()) return true;
  if (rest.front() != behind) return false;
  rest.remove_prefix(1);
  return true;
}

bool parse_epochs(std::string_view rest, std::int64_t recovery_offset, LeaderEpochs& into) {
  std::size_t count = 0;
  while (!rest.empty()) {
    EpochStart entry;
    if (!take_field(rest, ':', entry.epoch) || !take_field(rest, ',', entry.first_offset)) return false;
    into.add(entry.epoch, entry.first_offset);
    // Taken as it is, and nothing before it cut: both numbers rise.
    if (entry.first_offset > recovery_offset || into.entries().size() != ++count) return false;
  }
  return true;
}

}  // namespace

std::string to_text(const Checkpoint& checkpoint) {
  std::string text = fmt::format(
      "version=1\nlog={}\nstart_offset={}\nrecovery_offset={}\nsegment_base={}\nposition={}\nwindow_bytes={}\none_"
      "batch={}\nrising_offset={}\ncleaned_offset={}\n",
      checkpoint.identity, checkpoint.start_offset, checkpoint.recovery_offset, checkpoint.segment_base,
      checkpoint.position, checkpoint.window.bytes, checkpoint.window.one_batch ? 1 : 0, checkpoint.rising_offset,
      checkpoint.cleaned_offset);
  text += epochs_line(checkpoint.epochs);
  text += fmt::format("crc32c={:08x}\n", protocol::crc32c(text));
  return text;
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  std::string_view rest = text;
  const auto version = take_number(rest, "version");
  if (!version) return fail(ErrorKind::kCorrupt, "expected version=1 in the first line");
  if (*version != 1) return fail(ErrorKind::kUnsupported, fmt::format("has version {}, expected 1", *version));
  const auto identity = take(rest, "log");
  if (!identity) return fail(ErrorKind::kCorrupt, "expected log=<topic id>-<partition> in line 2");
  constexpr std::array<std::string_view, 8> kKeys{"start_offset", "recovery_offset", "segment_base",  "position",
                                                  "window_bytes", "one_batch",       "rising_offset", "cleaned_offset"};
  std::array<std::uint64_t, kKeys.size()> values{};
  for (std::size_t i = 0; i < kKeys.size(); ++i) {
    const auto value = take_number(rest, kKeys[i]);
    if (!value || *value > static_cast<std::uint64_t>(kMaxOffset)) {
      return fail(ErrorKind::kCorrupt, fmt::format("expected {}=<number> in line {}", kKeys[i], i + 3));
    }
    values[i] = *value;
  }
  LeaderEpochs epochs;
  const auto line = take(rest, "epochs");
  if (!line || !parse_epochs(*line, static_cast<std::int64_t>(values[1]), epochs)) {
    return fail(ErrorKind::kCorrupt, "expected rising epochs=<epoch>:<offset>,... below recovery_offset");
  }
  const std::uint32_t computed = protocol::crc32c(text.substr(0, text.size() - rest.size()));
  const auto stored = take_number(rest, "crc32c", 16);
  if (!stored || *stored != computed || !rest.empty()) {
    return fail(ErrorKind::kCorrupt, fmt::format("expected crc32c={:08x} as its last line", computed));
  }
  Checkpoint checkpoint{.identity = std::string(*identity),
                        .start_offset = static_cast<std::int64_t>(values[0]),
                        .recovery_offset = static_cast<std::int64_t>(values[1]),
                        .segment_base = static_cast<std::int64_t>(values[2]),
                        .position = values[3],
                        .window = {.bytes = values[4], .one_batch = values[5] != 0},
                        .rising_offset = static_cast<std::int64_t>(values[6]),
                        .cleaned_offset = static_cast<std::int64_t>(values[7]),
                        .epochs = std::move(epochs)};
  if (checkpoint.cleaned_offset > checkpoint.rising_offset || checkpoint.rising_offset > checkpoint.segment_base) {
    return fail(ErrorKind::kCorrupt, "expected cleaned_offset <= rising_offset <= segment_base");
  }
  return checkpoint;
}

}  // namespace cohort::storage
