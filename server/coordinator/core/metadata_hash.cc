#include "server/coordinator/core/metadata_hash.h"

#define XXH_INLINE_ALL  // header only: nothing to link
#include <xxhash.h>

#include <cstddef>
#include <string>

namespace cohort::coordinator {
namespace {

// The bytes that are hashed: numbers in little endian, strings as UTF-16 units followed by their number. Why collected
// and not streamed: XXH3's streaming state is bigger than what most topics have to say.
class Input {
 public:
  void byte(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void int32(std::uint32_t value) { little_endian(value, 4); }
  void int64(std::uint64_t value) { little_endian(value, 8); }
  // Topic names are ASCII (letters, digits, '.', '_', '-'), so each character is one unit.
  void ascii(std::string_view text) {
    for (const char c : text) little_endian(static_cast<std::uint8_t>(c), 2);
    int32(static_cast<std::uint32_t>(text.size()));
  }
  std::int64_t hash() const { return static_cast<std::int64_t>(XXH3_64bits(bytes_.data(), bytes_.size())); }

 private:
  void little_endian(std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes_.push_back(static_cast<char>(value >> (8 * i)));
  }

  std::string bytes_;
};

constexpr std::uint8_t kTopicHashVersion = 0;

}  // namespace

std::int64_t topic_hash(const TopicView& topic) {
  Input input;
  input.byte(kTopicHashVersion);
  input.int64(topic.id.value().high());
  input.int64(topic.id.value().low());
  input.ascii(topic.name.value());
  input.int32(static_cast<std::uint32_t>(topic.partitions));
  for (std::int32_t partition = 0; partition < topic.partitions; ++partition) {
    input.int32(static_cast<std::uint32_t>(partition));
  }
  return input.hash();
}

std::int64_t group_hash(const std::map<std::string_view, std::int64_t>& hashes) {
  if (hashes.empty()) return 0;
  Input input;
  for (const auto& [name, hash] : hashes) input.int64(static_cast<std::uint64_t>(hash));
  return input.hash();
}

}  // namespace cohort::coordinator
