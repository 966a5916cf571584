#include "protocol/wire/text.h"

#include <catch2/catch.hpp>
#include <optional>

namespace cohort::protocol {
namespace {

const std::string kLong(100, 'x');

TEST_CASE("a text owns what it was made from") {
  for (const std::size_t size : {0U, 1U, 26U, 27U, 28U, 100U}) {
    std::string source(size, 'a');
    const Text text = source;
    std::ranges::fill(source, 'b');
    CHECK(text == std::string(size, 'a'));
    CHECK(text.size() == size);
    CHECK_FALSE(text.is_borrowed());
  }
}

TEST_CASE("borrowing points, copying owns, moving keeps what it is") {
  for (std::string source : {std::string("short"), kLong}) {
    const std::string before = source;
    Text borrowed = Text::borrow(source);
    CHECK(borrowed.data() == source.data());
    const Text copy = borrowed;
    Text assigned = "something else that is longer than the inline room";
    assigned = borrowed;
    const Text moved = std::move(borrowed);
    CHECK(moved.data() == source.data());
    CHECK(moved.is_borrowed());
    CHECK_FALSE(copy.is_borrowed());
    CHECK_FALSE(assigned.is_borrowed());
    std::ranges::fill(source, '?');
    CHECK(copy == before);
    CHECK(assigned == before);
  }
}

TEST_CASE("a moved-from text is empty and can be used again") {
  Text from = kLong;
  Text to = std::move(from);
  CHECK(to == kLong);
  CHECK(from.empty());  // NOLINT(bugprone-use-after-move): that is the promise
  from = "again";
  CHECK(from == "again");
  Text& self = to;
  to = self;
  CHECK(to == kLong);
  to = std::move(self);
  CHECK(to == kLong);
}

TEST_CASE("texts compare, hash and format like strings") {
  const Text a = "abc";
  CHECK(a == "abc");
  CHECK("abc" == a);
  CHECK(a == std::string("abc"));
  CHECK(a < std::string_view("abd"));
  CHECK(a == Text::borrow("abc"));
  CHECK(std::optional<Text>("abc") == a);
  CHECK(std::hash<Text>{}(a) == std::hash<std::string_view>{}("abc"));
  CHECK(fmt::format("[{:>5}]", a) == "[  abc]");
  CHECK(Text(std::string_view("a\0b", 3)).size() == 3);
}

}  // namespace
}  // namespace cohort::protocol
