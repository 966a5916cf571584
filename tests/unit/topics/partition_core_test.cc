#include "server/topics/partition_core.h"

#include <catch2/catch.hpp>

#include "protocol/batch/record.h"
#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

using protocol::ErrorCode;

struct Core {
  PartitionCore core{100, 3, ProducerTable(100, 1'000'000), 1 << 20};
  TopicConfig config = resolve_config({}, config::TopicDefaults{});
  std::vector<std::byte> out;
  protocol::ByteBuffer scratch;

  PartitionCore::Produced produce(const std::vector<std::byte>& batch, std::int16_t acks = -1) {
    out.clear();
    return core.produce(batch, acks, 9, config, 5000, out, scratch);
  }
};

TEST_CASE("a batch gets the next offsets and the leader epoch") {
  Core c;
  auto first = c.produce(make_batch(3));
  CHECK(first.answer.error == ErrorCode::kNone);
  CHECK(first.answer.base_offset == 100);
  CHECK(first.answer.log_append_time_ms == -1);
  CHECK(first.needs_end_offset == 103);
  CHECK(first.appended);
  const auto stored = protocol::parse_batch(c.out);
  REQUIRE(stored);
  CHECK(stored->base_offset() == 100);
  CHECK(stored->partition_leader_epoch() == 3);
  CHECK(stored->max_timestamp() == 1002);
  CHECK(c.produce(make_batch(1)).answer.base_offset == 103);
  CHECK(c.core.next_offset() == 104);
}

TEST_CASE("LogAppendTime stamps the batch and tells the time") {
  Core c;
  c.config.timestamp_type = protocol::TimestampType::kLogAppendTime;
  const auto batch = make_batch(2, {5, 0, 0});
  CHECK(c.produce(batch).answer.log_append_time_ms == 5000);
  const auto stored = protocol::parse_batch(c.out);
  REQUIRE(stored);  // the checksum is right
  CHECK(stored->timestamp_type() == protocol::TimestampType::kLogAppendTime);
  CHECK(stored->max_timestamp() == 5000);
  const auto again = c.produce(batch);
  CHECK_FALSE(again.appended);
  CHECK(again.answer.log_append_time_ms == 5000);
}

TEST_CASE("refusals change nothing") {
  Core c;
  const auto refused = [&](ErrorCode error, const std::vector<std::byte>& batch, std::int16_t acks = -1) {
    const auto produced = c.produce(batch, acks);
    CHECK(produced.answer.error == error);
    CHECK(produced.needs_end_offset == -1);
    CHECK_FALSE(produced.appended);
    CHECK(c.out.empty());
    CHECK(c.core.next_offset() == 100);
    CHECK(c.core.producers().entries().empty());
  };
  refused(ErrorCode::kInvalidRequiredAcks, make_batch(1), 2);
  refused(ErrorCode::kInvalidRequiredAcks, make_batch(1), -2);
  refused(ErrorCode::kInvalidRecord, {});
  auto damaged = make_batch(1);
  damaged.back() ^= std::byte{1};
  refused(ErrorCode::kCorruptMessage, damaged);
  c.config.max_message_bytes = 50;
  refused(ErrorCode::kMessageTooLarge, make_batch(1, {3, 0, 0}));
  c.config.max_message_bytes = 1 << 20;
  const auto segment_bytes = std::exchange(c.config.segment_bytes, 60);
  refused(ErrorCode::kRecordListTooLarge, make_batch(1, {3, 0, 0}));
  c.config.segment_bytes = segment_bytes;
  c.config.min_insync_replicas = 2;
  refused(ErrorCode::kNotEnoughReplicas, make_batch(1));
  CHECK(c.produce(make_batch(1), 1).answer.error == ErrorCode::kNone);
}

TEST_CASE("a transactional batch is refused") {
  Core c;
  protocol::BatchBuilder builder;
  protocol::BatchOptions options;
  options.is_transactional = true;
  options.producer_id = 4;
  options.producer_epoch = 0;
  options.base_sequence = 0;
  builder.start(options);
  builder.append(1, std::nullopt, std::nullopt);
  const auto bytes = builder.finish();
  CHECK(c.produce({bytes->begin(), bytes->end()}).answer.error == ErrorCode::kInvalidTxnState);
}

TEST_CASE("repeats are answered with the first offset, gaps refused") {
  Core c;
  CHECK(c.produce(make_batch(2, {5, 0, 0})).answer.base_offset == 100);
  CHECK(c.produce(make_batch(2, {5, 0, 2})).answer.base_offset == 102);
  const auto repeat = c.produce(make_batch(2, {5, 0, 0}));
  CHECK(repeat.answer.error == ErrorCode::kNone);
  CHECK(repeat.answer.base_offset == 100);
  CHECK(repeat.needs_end_offset == 102);
  CHECK_FALSE(repeat.appended);
  CHECK(c.produce(make_batch(2, {5, 0, 7})).answer.error == ErrorCode::kOutOfOrderSequenceNumber);
  CHECK(c.core.next_offset() == 104);
}

TEST_CASE("the high watermark is the end of the prefix in which each batch met its policy") {
  Core c;
  SECTION("topics that do not sync: what is written counts") {
    c.produce(make_batch(2));
    CHECK(c.core.high_watermark() == 100);
    c.core.written(102);
    CHECK(c.core.high_watermark() == 102);
  }
  SECTION("topics that sync: acks=all waits, and holds up acks=1 behind it") {
    c.config.durability = config::Durability::kSync;
    c.produce(make_batch(1), 1);
    c.produce(make_batch(1), -1);
    c.produce(make_batch(1), 1);
    c.core.written(103);
    CHECK(c.core.high_watermark() == 101);
    c.core.durable(102);
    CHECK(c.core.high_watermark() == 103);
  }
  SECTION("written first in part") {
    c.config.durability = config::Durability::kSync;
    c.produce(make_batch(1), 1);
    c.produce(make_batch(1), 1);
    c.core.written(101);
    CHECK(c.core.high_watermark() == 101);
  }
}

TEST_CASE("a topic's own compression packs the records anew") {
  Core c;
  c.config.compression = protocol::Compression::kZstd;
  const auto batch = make_batch(50, {5, 1, 7}, 1000, 100);
  CHECK(c.produce(batch).answer.error == ErrorCode::kNone);
  CHECK(c.out.size() < batch.size() / 2);
  const auto stored = protocol::parse_batch(c.out);
  REQUIRE(stored);
  CHECK(stored->compression() == protocol::Compression::kZstd);
  CHECK(stored->producer_id() == 5);
  CHECK(stored->base_sequence() == 7);
  CHECK(stored->last_offset() == 149);
  protocol::ByteBuffer scratch;
  int seen = 0;
  REQUIRE(protocol::for_each_record(*stored, 1 << 20, scratch, [&](const protocol::RecordView& record) {
    CHECK(record.timestamp_ms == 1000 + seen);
    CHECK(record.value->size() == 100);
    ++seen;
  }));
  CHECK(seen == 50);
  CHECK_FALSE(c.produce(batch).appended);  // the repeat is still known
}

TEST_CASE("leader epochs") {
  CHECK(check_leader_epoch(-1, 4) == ErrorCode::kNone);
  CHECK(check_leader_epoch(4, 4) == ErrorCode::kNone);
  CHECK(check_leader_epoch(5, 4) == ErrorCode::kUnknownLeaderEpoch);
  CHECK(check_leader_epoch(3, 4) == ErrorCode::kFencedLeaderEpoch);
  CHECK(check_leader_epoch(-2, 4) == ErrorCode::kFencedLeaderEpoch);
}

}  // namespace
}  // namespace cohort::topics
