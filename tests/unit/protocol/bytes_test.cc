#include "protocol/wire/bytes.h"

#include <catch2/catch.hpp>

#include "protocol/wire/byte_buffer.h"
#include "protocol/wire/tagged_fields.h"

namespace cohort::protocol {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

TEST_CASE("copying borrowed bytes owns them, copying owned ones counts") {
  auto source = bytes_of("abc");
  const Bytes borrowed = Bytes::borrow(source);
  CHECK(borrowed.data() == source.data());
  const Bytes copy = borrowed;  // NOLINT(performance-unnecessary-copy-initialization): copying is the point
  const Bytes second = copy;    // NOLINT(performance-unnecessary-copy-initialization)
  source[0] = std::byte{'?'};
  CHECK(copy.text() == "abc");
  CHECK_FALSE(copy.is_borrowed());
  CHECK(second.data() == copy.data());
}

TEST_CASE("a slice keeps its buffer alive") {
  auto owner = std::make_shared<const std::vector<std::byte>>(bytes_of("abcdef"));
  Bytes slice = Bytes::slice(owner, std::span(*owner).subspan(2, 3));
  owner.reset();
  Bytes moved = std::move(slice);
  CHECK(moved.text() == "cde");
  CHECK(slice.empty());  // NOLINT(bugprone-use-after-move): that is the promise
}

TEST_CASE("a vector is taken without a copy") {
  auto source = bytes_of("abc");
  const std::byte* at = source.data();
  const Bytes taken = Bytes::own(std::move(source));
  CHECK(taken.data() == at);
}

TEST_CASE("empty bytes are all alike") {
  CHECK(Bytes() == Bytes::borrow({}));
  CHECK(Bytes::copy_of("") == Bytes::own({}));
  CHECK_FALSE(Bytes::borrow({}).is_borrowed());
}

TEST_CASE("a buffer keeps what it has when it grows") {
  ByteBuffer buffer;
  for (int i = 0; i < 1000; ++i) {
    const auto byte = static_cast<std::byte>(i);
    buffer.append({&byte, 1});
  }
  CHECK(buffer.size() == 1000);
  for (int i = 0; i < 1000; ++i) REQUIRE(buffer.view()[i] == static_cast<std::byte>(i));
  buffer.truncate(10);
  CHECK(buffer.size() == 10);
  const std::size_t capacity = buffer.capacity();
  buffer.clear();
  CHECK(buffer.empty());
  CHECK(buffer.capacity() == capacity);
}

TEST_CASE("a buffer has room for the end of an answer behind its records, so that they are not copied again") {
  ByteBuffer buffer;
  const std::vector<std::byte> records(1 << 20);
  buffer.append(records);
  const std::size_t capacity = buffer.capacity();
  CHECK(capacity >= records.size() + 1000);
  CHECK(capacity < records.size() * 5 / 4);
  buffer.append(std::span(records).first(1000));
  CHECK(buffer.capacity() == capacity);
}

TEST_CASE("tagged fields are a value") {
  auto source = bytes_of("abc");
  TaggedFields fields;
  CHECK(fields.empty());
  fields.append(3, Bytes::borrow(source));
  TaggedFields copy = fields;
  CHECK(copy == fields);
  source[0] = std::byte{'?'};
  CHECK(copy.view()[0].data.text() == "abc");
  CHECK_FALSE(copy == fields);
  fields.clear();
  CHECK(fields == TaggedFields());
  CHECK_FALSE(fields == copy);
  CHECK(sizeof(TaggedFields) == sizeof(void*));
}

}  // namespace
}  // namespace cohort::protocol
