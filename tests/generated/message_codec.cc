#include "tests/generated/message_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/wire/byte_reader.h"
#include "protocol/wire/byte_writer.h"
#include "tests/generated/random.h"

namespace cohort::protocol::generated {
namespace {

// An object of the type that `ops` stands for.
class Object {
 public:
  explicit Object(const MessageOps& ops) : ops_(&ops), object_(ops.create()) {}
  Object(const Object& other) : ops_(other.ops_), object_(ops_->copy(other.object_)) {}
  Object(Object&& other) noexcept : ops_(other.ops_), object_(std::exchange(other.object_, nullptr)) {}
  Object& operator=(Object other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Object() {
    if (object_ != nullptr) ops_->destroy(object_);
  }
  void* get() { return object_; }
  const void* get() const { return object_; }
  bool operator==(const Object& other) const { return ops_->equal(object_, other.object_); }

 private:
  const MessageOps* ops_;
  void* object_;
};

using ByteVector = std::vector<std::byte>;

Result<ByteVector> encode(const MessageOps& ops, const Object& message, std::int16_t version) {
  ByteBuffer buffer;
  ByteWriter writer(buffer);
  ops.write(writer, message.get(), version);
  if (auto done = writer.status(); !done) return std::unexpected(std::move(done.error()));
  return ByteVector(buffer.view().begin(), buffer.view().end());
}

Result<void> decode(const MessageOps& ops, std::span<const std::byte> bytes, Object& message, std::int16_t version) {
  ByteReader reader(bytes);
  ops.read(reader, message.get(), version);
  return reader.finish();
}

// used: an object to read into that already holds something else.
std::string check_one(const MessageOps& ops, const Object& original, Object used, std::int16_t version) {
  const auto bytes = encode(ops, original, version);
  if (!bytes) return "cannot be written: " + bytes.error().message;
  ByteVector frame = *bytes;
  if (auto done = decode(ops, frame, used, version); !done) return "cannot be read: " + done.error().message;
  if (!(used == original)) return "what was read differs from what was written";
  const Object copy = used;
  std::ranges::fill(frame, std::byte{0xee});
  if (!(copy == original)) return "a copy still points into the frame";
  const auto again = encode(ops, copy, version);
  if (!again || *again != *bytes) return "the second write differs from the first";
  return "";
}

std::string check_damaged(const MessageOps& ops, const ByteVector& bytes, Random& random, std::int16_t version) {
  Object message(ops);
  // All prefixes of short messages, a hundred of long ones.
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / 100);
  for (std::size_t size = 0; size < bytes.size(); size += step) {
    const std::span<const std::byte> cut(bytes.data(), size);
    if (!decode(ops, cut, message, version)) continue;
    const auto written = encode(ops, message, version);
    if (!written || !std::ranges::equal(*written, cut)) return "a prefix was read as something that it does not say";
  }
  for (int i = 0; i < 100 && !bytes.empty(); ++i) {
    ByteVector damaged = bytes;
    damaged[random.below(damaged.size())] = static_cast<std::byte>(random.next());
    if (!decode(ops, damaged, message, version)) continue;
    // Several spellings of a number are read as one; what was read must still be a message.
    const auto written = encode(ops, message, version);
    if (!written) return "what was read cannot be written: " + written.error().message;
    Object back(ops);
    if (!decode(ops, *written, back, version)) return "a damaged message is written as something that cannot be read";
    const auto again = encode(ops, back, version);
    if (!again || *again != *written) return "a damaged message does not survive a round trip";
  }
  return "";
}

}  // namespace

Result<Transcoded> MessageCodec::transcode(std::span<const std::byte> bytes, std::int16_t version) const {
  Object message(ops);
  if (auto done = decode(ops, bytes, message, version); !done) return std::unexpected(std::move(done.error()));
  Transcoded result;
  ops.append_json(result.json, message.get(), version);
  ops.collect_unknown_tags(message.get(), result.unknown_tags);
  auto written = encode(ops, message, version);
  if (!written) return std::unexpected(std::move(written.error()));
  result.bytes = *std::move(written);
  return result;
}

std::string MessageCodec::check_round_trip(std::uint64_t seed, std::int16_t version) const {
  Random random(seed);
  Object used(ops);
  ops.fill(random, used.get(), version);
  std::string problem = check_one(ops, Object(ops), used, version);
  if (!problem.empty()) return "default: " + problem;
  for (int i = 0; i < 4; ++i) {
    Object message(ops);
    ops.fill(random, message.get(), version);
    problem = check_one(ops, message, used, version);
    if (problem.empty()) problem = check_damaged(ops, *encode(ops, message, version), random, version);
    if (!problem.empty()) return fmt::format("random {}: {}", i, problem);
    used = std::move(message);
  }
  return "";
}

}  // namespace cohort::protocol::generated
