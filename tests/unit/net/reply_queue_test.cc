#include "server/net/reply_queue.h"

#include <catch2/catch.hpp>
#include <string>

namespace cohort::net {
namespace {

void answer(ReplyQueue& queue, std::uint64_t sequence, std::string_view text) {
  queue.begin(sequence).bytes.append(std::as_bytes(std::span(text)));
  queue.end(sequence);
}

std::string sent(ReplyQueue& queue) {
  const auto view = queue.output().bytes.view();
  std::string text(reinterpret_cast<const char*>(view.data()), view.size());
  queue.output().clear();
  return text;
}

TEST_CASE("replies: answers leave in the order of the requests") {
  ReplyQueue queue;
  const auto a = queue.open(true);
  const auto b = queue.open(true);
  const auto c = queue.open(true);
  answer(queue, c, "c");
  answer(queue, b, "b");
  CHECK(sent(queue).empty());
  CHECK(queue.unsent_bytes() == 2);
  answer(queue, a, "a");
  CHECK(sent(queue) == "abc");
  CHECK(queue.open_count() == 0);
  CHECK(queue.unsent_bytes() == 0);
}

TEST_CASE("replies: a request without an answer holds nobody up") {
  ReplyQueue queue;
  const auto a = queue.open(true);
  const auto b = queue.open(true);
  answer(queue, b, "b");
  queue.end(a);
  CHECK(sent(queue) == "b");
}

TEST_CASE("replies: every permutation of four answers gives the same stream") {
  std::string order = "0123";
  do {
    ReplyQueue queue;
    for (int i = 0; i < 4; ++i) queue.open(true);
    for (char c : order) answer(queue, static_cast<std::uint64_t>(c - '0'), std::string(1, c));
    CHECK(sent(queue) == "0123");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("replies: a request that does not overlap is a barrier on both sides") {
  ReplyQueue queue;
  const auto heartbeat = queue.open(true);
  CHECK(queue.may_open(true, 0));
  CHECK_FALSE(queue.may_open(false, 0));
  answer(queue, heartbeat, "h");
  REQUIRE(queue.may_open(false, 0));
  const auto fetch = queue.open(false);
  CHECK_FALSE(queue.may_open(true, 0));
  CHECK_FALSE(queue.may_open(false, 0));
  answer(queue, fetch, "f");
  CHECK(queue.may_open(true, 0));
  CHECK(queue.may_open(false, 0));
}

TEST_CASE("replies: at most 64 open requests and 1 MiB of unsent answers") {
  ReplyQueue queue;
  for (std::size_t i = 0; i < ReplyQueue::kMaxOpen; ++i) {
    REQUIRE(queue.may_open(true, 0));
    queue.open(true);
  }
  CHECK_FALSE(queue.may_open(true, 0));
  answer(queue, 1, std::string(ReplyQueue::kMaxUnsentBytes, 'x'));
  answer(queue, 0, "y");
  CHECK_FALSE(queue.may_open(true, 0));  // room among the requests, none among the bytes
  CHECK(sent(queue).size() == ReplyQueue::kMaxUnsentBytes + 1);
  CHECK(queue.may_open(true, 0));
  CHECK(queue.may_open(true, ReplyQueue::kMaxUnsentBytes - 1));
  CHECK_FALSE(queue.may_open(true, ReplyQueue::kMaxUnsentBytes));
}

TEST_CASE("replies: memory is counted, and given back when nothing is owed") {
  ReplyQueue queue;
  answer(queue, queue.open(true), std::string(100'000, 'x'));
  CHECK(queue.unsent_memory() == 100'000);
  CHECK(sent(queue).size() == 100'000);
  CHECK(queue.unsent_memory() == 0);
  queue.release_memory();
  CHECK(queue.output().bytes.capacity() == 0);
  answer(queue, queue.open(true), "again");
  CHECK(sent(queue) == "again");
}

}  // namespace
}  // namespace cohort::net
