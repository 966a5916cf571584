#include "server/topics/producer_state.h"

#include <catch2/catch.hpp>
#include <limits>

#include "server/storage/mem_fs.h"
#include "server/topics/producer_snapshot.h"
#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

using protocol::ErrorCode;

constexpr std::int32_t kLast = std::numeric_limits<std::int32_t>::max();

struct Table {
  ProducerTable table{100, 1000};
  std::int64_t offset = 0;

  ProducerTable::Verdict check(Producer producer, int records, std::int64_t now_ms = 0) const {
    const auto bytes = make_batch(records, producer);
    return table.check(protocol::BatchView(bytes), now_ms);
  }
  void append(Producer producer, int records, std::int64_t now_ms = 0) {
    auto bytes = make_batch(records, producer);
    protocol::set_base_offset(bytes, offset);
    table.record(protocol::BatchView(bytes), now_ms);
    offset += records;
  }
};

TEST_CASE("an unknown producer may begin anywhere") {
  Table t;
  CHECK(t.check({7, 3, 41}, 2).error == ErrorCode::kNone);
  CHECK_FALSE(t.check({7, 3, 41}, 2).duplicate);
}

TEST_CASE("sequence and epoch rules") {
  Table t;
  t.append({7, 3, 0}, 2);  // offsets 0, 1
  t.append({7, 3, 2}, 3);  // offsets 2 to 4
  struct Row {
    const char* what = "";
    Producer producer;
    int records = 0;
    ErrorCode error = ErrorCode::kNone;
    std::int64_t duplicate_of = -1;  // first offset, -1: no duplicate
  };
  const Row rows[] = {
      {"the next", {7, 3, 5}, 1, ErrorCode::kNone, -1},
      {"a gap", {7, 3, 6}, 1, ErrorCode::kOutOfOrderSequenceNumber, -1},
      {"a repeat of the last", {7, 3, 2}, 3, ErrorCode::kNone, 2},
      {"a repeat of the first", {7, 3, 0}, 2, ErrorCode::kNone, 0},
      {"same first, another length", {7, 3, 2}, 2, ErrorCode::kOutOfOrderSequenceNumber, -1},
      {"overlapping", {7, 3, 4}, 2, ErrorCode::kOutOfOrderSequenceNumber, -1},
      {"an old epoch", {7, 2, 5}, 1, ErrorCode::kInvalidProducerEpoch, -1},
      {"an old epoch, else a repeat", {7, 2, 2}, 3, ErrorCode::kInvalidProducerEpoch, -1},
      {"a new epoch from 0", {7, 4, 0}, 1, ErrorCode::kNone, -1},
      {"a new epoch not from 0", {7, 4, 5}, 1, ErrorCode::kOutOfOrderSequenceNumber, -1},
      {"another producer", {8, 0, 9}, 1, ErrorCode::kNone, -1},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const auto verdict = t.check(row.producer, row.records);
    CHECK(verdict.error == row.error);
    CHECK(verdict.duplicate.has_value() == (row.duplicate_of >= 0));
    if (verdict.duplicate) CHECK(verdict.duplicate->first_offset == row.duplicate_of);
  }
}

TEST_CASE("only the last five batches are recognised") {
  Table t;
  for (std::int32_t i = 0; i < 6; ++i) t.append({1, 0, i}, 1);
  CHECK(t.check({1, 0, 0}, 1).error == ErrorCode::kOutOfOrderSequenceNumber);
  for (std::int32_t i = 1; i < 6; ++i) {
    const auto verdict = t.check({1, 0, i}, 1);
    REQUIRE(verdict.duplicate);
    CHECK(verdict.duplicate->first_offset == i);
  }
}

TEST_CASE("a new epoch forgets the batches of the old one") {
  Table t;
  t.append({1, 0, 0}, 5);
  t.append({1, 1, 0}, 1);
  CHECK(t.check({1, 1, 0}, 5).error == ErrorCode::kOutOfOrderSequenceNumber);
  CHECK(t.check({1, 0, 0}, 5).error == ErrorCode::kInvalidProducerEpoch);
}

TEST_CASE("sequences wrap") {
  Table t;
  t.append({1, 0, kLast - 1}, 2);  // kLast - 1, kLast
  CHECK(t.check({1, 0, 0}, 1).error == ErrorCode::kNone);
  CHECK(t.check({1, 0, 1}, 1).error == ErrorCode::kOutOfOrderSequenceNumber);
  Table wrapping;
  wrapping.append({1, 0, kLast}, 2);  // kLast, 0
  CHECK(wrapping.check({1, 0, 1}, 1).error == ErrorCode::kNone);
  CHECK(wrapping.check({1, 0, kLast}, 2).duplicate);
}

TEST_CASE("a producer is forgotten by the time of its last append") {
  Table t;
  t.append({1, 0, 0}, 1, 5000);
  CHECK(t.check({1, 0, 9}, 1, 5999).error == ErrorCode::kOutOfOrderSequenceNumber);
  CHECK(t.check({1, 0, 9}, 1, 6000).error == ErrorCode::kNone);
  t.table.forget_expired(5999);
  CHECK(t.table.entries().size() == 1);
  t.table.forget_expired(6000);
  CHECK(t.table.entries().empty());
}

TEST_CASE("the table is bounded: those idle longest go") {
  Table t;
  for (std::int64_t id = 0; id < 250; ++id) t.append({id, 0, 0}, 1, id);
  CHECK(t.table.entries().size() <= 100);
  CHECK(t.table.entries().contains(249));
  CHECK_FALSE(t.table.entries().contains(0));
  Table same_time;
  for (std::int64_t id = 0; id < 250; ++id) same_time.append({id, 0, 0}, 1, 1);
  CHECK(same_time.table.entries().size() <= 100);
  CHECK(same_time.table.entries().size() >= 99);
}

TEST_CASE("a snapshot gives back the same table, damage is seen") {
  Table t;
  for (std::int32_t i = 0; i < 7; ++i) t.append({1, 2, i}, 1, 10 + i);
  t.append({9, 0, 5}, 3, 50);
  const std::string text = encode_producers(t.table, 77);
  ProducerTable again(100, 1000);
  const auto offset = decode_producers(std::as_bytes(std::span(text)), again);
  REQUIRE(offset);
  CHECK(*offset == 77);
  CHECK(again.entries() == t.table.entries());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    ProducerTable unused(100, 1000);
    CHECK_FALSE(decode_producers(std::as_bytes(std::span(damaged)), unused));
    CHECK_FALSE(decode_producers(std::as_bytes(std::span(text).first(i)), unused));
  }
}

TEST_CASE("the newest usable snapshot is taken; those beyond the log go") {
  storage::MemFs fs;
  REQUIRE(fs.make_dir("/log"));
  Table t;
  t.append({1, 0, 0}, 1);
  for (const std::int64_t offset : {10, 20, 30}) {
    REQUIRE(save_producers(fs, "/log", encode_producers(t.table, offset), offset));
    t.append({1, 0, static_cast<std::int32_t>(offset)}, 1);
  }
  CHECK(fs.list("/log")->size() == 2);  // two are kept
  ProducerTable table(100, 1000);
  SECTION("all of the log is there") {
    CHECK(load_producers(fs, "/log", 0, 30, table).value() == 30);
  }
  SECTION("the log lost its end") {
    CHECK(load_producers(fs, "/log", 0, 29, table).value() == 20);
    CHECK(fs.list("/log")->size() == 1);
  }
  SECTION("the log begins behind it") {
    CHECK_FALSE(load_producers(fs, "/log", 31, 40, table).value());
  }
  SECTION("the newest is damaged") {
    fs.overwrite("/log/00000000000000000030.producers", "damage");
    CHECK(load_producers(fs, "/log", 0, 30, table).value() == 20);
  }
}

}  // namespace
}  // namespace cohort::topics
