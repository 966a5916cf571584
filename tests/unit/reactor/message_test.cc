#include "server/reactor/message.h"

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

namespace cohort::reactor {
namespace {

struct Numbered final : Message {
  Numbered(int n, int& a) : number(n), alive(a) { ++alive; }
  ~Numbered() override { --alive; }
  void deliver(std::unique_ptr<Message>) override {}
  int number;
  int& alive;
};

std::vector<int> take_all(MessageStack& stack) {
  std::vector<int> numbers;
  while (auto message = stack.pop()) numbers.push_back(static_cast<Numbered&>(*message).number);
  return numbers;
}

TEST_CASE("A stack gives back the newest first, reversed the oldest first") {
  int alive = 0;
  MessageStack stack;
  for (int i = 0; i < 4; ++i) stack.push(std::make_unique<Numbered>(i, alive));
  CHECK(stack.size() == 4);
  CHECK(take_all(stack) == std::vector{3, 2, 1, 0});

  for (int i = 0; i < 4; ++i) stack.push(std::make_unique<Numbered>(i, alive));
  stack.reverse();
  CHECK(take_all(stack) == std::vector{0, 1, 2, 3});
  CHECK(stack.empty());
  CHECK(alive == 0);
}

TEST_CASE("Batches linked one on another come out in the order of sending") {
  int alive = 0;
  MessageStack first;
  MessageStack second;
  for (int i = 0; i < 3; ++i) first.push(std::make_unique<Numbered>(i, alive));
  for (int i = 3; i < 5; ++i) second.push(std::make_unique<Numbered>(i, alive));
  second.link_bottom(first.top());
  first.release();
  MessageStack mailbox(second.top());
  second.release();
  CHECK(mailbox.size() == 5);
  mailbox.reverse();
  CHECK(take_all(mailbox) == std::vector{0, 1, 2, 3, 4});
}

TEST_CASE("A stack that still holds messages destroys them") {
  int alive = 0;
  {
    MessageStack stack;
    stack.push(std::make_unique<Numbered>(1, alive));
    stack.push(std::make_unique<Numbered>(2, alive));
    MessageStack moved = std::move(stack);
    CHECK(alive == 2);
  }
  CHECK(alive == 0);
}

}  // namespace
}  // namespace cohort::reactor
