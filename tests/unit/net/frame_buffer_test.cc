#include "server/net/frame_buffer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

namespace cohort::net {
namespace {

constexpr std::size_t kMaxFrame = 1 << 20;

std::string frame_of(std::string_view payload) {
  const auto size = static_cast<std::uint32_t>(payload.size());
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>((size >> shift) & 0xFF);
  return bytes.append(payload);
}

struct Harness {
  std::shared_ptr<MemoryBudget> budget = std::make_shared<MemoryBudget>(64 << 20);
  FrameBuffer buffer{budget, kMaxFrame};
  std::vector<Frame> frames;  // kept, so that chunks stay borrowed
  std::string error;

  // As a socket would: at most `piece` bytes at a time, then all frames are cut.
  void receive(std::string_view bytes, std::size_t piece) {
    while (!bytes.empty() && error.empty()) {
      const std::span<std::byte> room = buffer.prepare();
      REQUIRE_FALSE(room.empty());
      const std::size_t count = std::min({piece, room.size(), bytes.size()});
      std::memcpy(room.data(), bytes.data(), count);
      buffer.commit(count);
      bytes.remove_prefix(count);
      cut();
    }
  }
  void cut() {
    while (true) {
      auto frame = buffer.next();
      if (!frame) {
        error = frame.error().message;
        return;
      }
      if (!*frame) return;
      frames.push_back(**frame);
    }
  }
  std::string text(std::size_t i) const {
    return {reinterpret_cast<const char*>(frames[i].bytes.data()), frames[i].bytes.size()};
  }
};

TEST_CASE("frames: whatever the pieces, the same frames come out") {
  std::string stream;
  std::vector<std::string> sent;
  for (std::size_t size : {0UL, 1UL, 100UL, 4092UL, 4093UL, 5000UL, 70'000UL, 3UL, 300'000UL, 12UL}) {
    sent.emplace_back(size, static_cast<char>('a' + sent.size()));
    stream += frame_of(sent.back());
  }
  for (std::size_t piece : {1UL, 2UL, 3UL, 7UL, 511UL, 4096UL, 1UL << 20}) {
    Harness h;
    h.receive(stream, piece);
    INFO("pieces of " << piece);
    REQUIRE(h.error.empty());
    REQUIRE(h.frames.size() == sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) CHECK(h.text(i) == sent[i]);
  }
}

TEST_CASE("frames: a negative length and one above the limit are errors that name the length") {
  for (std::size_t piece : {1UL, 4UL}) {
    Harness negative;
    negative.receive(std::string("\xFF\xFF\xFF\xFB", 4), piece);
    CHECK(negative.error == "a request announces a length of -5 bytes");
    Harness http;
    http.receive("GET / HTTP/1.1\r\n", piece);
    CHECK(http.error == "a request announces 1195725856 bytes, more than socket.request.max.bytes (1048576)");
    CHECK(http.frames.empty());
  }
  Harness largest;
  largest.receive(frame_of(std::string(kMaxFrame, 'x')), 65'536);
  CHECK(largest.frames.size() == 1);
  Harness one_more;
  one_more.receive(frame_of(std::string(kMaxFrame + 1, 'x')), 65'536);
  CHECK_FALSE(one_more.error.empty());
}

TEST_CASE("frames: memory follows the bytes received, not the length announced") {
  Harness h;
  const std::string announced = frame_of(std::string(kMaxFrame, 'x'));
  h.receive(announced.substr(0, 5), 5);
  CHECK(h.budget->used() <= 8192);
  h.receive(announced.substr(5, 50'000), 50'000);
  CHECK(h.budget->used() <= 4 * 50'000);
}

TEST_CASE("frames: a chunk that nobody borrows from is used again") {
  Harness h;
  const std::string heartbeat = frame_of(std::string(200, 'h'));
  for (int i = 0; i < 10'000; ++i) {
    h.receive(heartbeat, 4096);
    REQUIRE(h.frames.size() == 1);
    h.frames.clear();
  }
  CHECK(h.budget->used() == 4096);
}

TEST_CASE("frames: a kept frame is not overwritten, and its memory is given back with it") {
  Harness h;
  for (int i = 0; i < 1000; ++i) h.receive(frame_of(std::string(200, static_cast<char>('a' + i % 26))), 4096);
  REQUIRE(h.frames.size() == 1000);
  for (std::size_t i = 0; i < 1000; ++i) REQUIRE(h.text(i) == std::string(200, static_cast<char>('a' + i % 26)));
  CHECK(h.budget->used() >= 200'000);
  h.frames.clear();
  h.receive(frame_of("x"), 4096);
  h.frames.clear();
  CHECK(h.budget->used() <= 8192);
}

TEST_CASE("frames: a large frame's memory is not kept for small ones") {
  Harness h;
  h.receive(frame_of(std::string(900'000, 'x')), 65'536);
  h.frames.clear();
  for (int i = 0; i < 100; ++i) {
    h.receive(frame_of("small"), 4096);
    h.frames.clear();
  }
  CHECK(h.budget->used() <= 4 * 4096);
}

TEST_CASE("frames: over the budget a request gets its first small chunk and no more, until others gave theirs back") {
  auto budget = std::make_shared<MemoryBudget>(3 * 4096);
  std::vector<std::unique_ptr<FrameBuffer>> others;
  for (int i = 0; i < 3; ++i) {
    others.push_back(std::make_unique<FrameBuffer>(budget, kMaxFrame));
    CHECK_FALSE(others.back()->prepare().empty());
  }
  FrameBuffer last(budget, kMaxFrame);
  const std::span<std::byte> room = last.prepare();
  REQUIRE(room.size() == 4096);
  const std::string large = frame_of(std::string(100'000, 'x'));
  std::memcpy(room.data(), large.data(), room.size());
  last.commit(room.size());
  CHECK_FALSE(last.next().value().has_value());
  CHECK(last.prepare().empty());
  others[0]->release();
  others.pop_back();
  others.pop_back();
  CHECK_FALSE(last.prepare().empty());
}

TEST_CASE("frames: the memory of a silent client is given back, and nothing of a request that has begun") {
  Harness h;
  h.receive(frame_of("whole"), 4096);
  h.frames.clear();
  CHECK(h.budget->used() > 0);
  h.buffer.release();
  CHECK(h.budget->used() == 0);
  const std::string frame = frame_of("another");
  h.receive(frame.substr(0, 6), 4096);
  h.buffer.release();
  h.receive(frame.substr(6), 4096);
  REQUIRE(h.frames.size() == 1);
  CHECK(h.text(0) == "another");
}

}  // namespace
}  // namespace cohort::net
