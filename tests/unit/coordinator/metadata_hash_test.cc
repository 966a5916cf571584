// The expected numbers were computed by hash4j 0.22, the library that Kafka 4.3.1 uses, the way Kafka feeds it.
#include "server/coordinator/core/metadata_hash.h"

#include <catch2/catch.hpp>

namespace cohort::coordinator {

using protocol::TopicId;
using protocol::TopicName;
using protocol::Uuid;

TEST_CASE("hashes of topics and groups are Kafka's") {
  const TopicView foo{TopicId(Uuid(0x0102030405060708U, 0x090a0b0c0d0e0f10U)), TopicName("foo"), 1};
  const TopicView orders{TopicId(Uuid(0xfffefdfcfbfaf9f8U, 0x8000000000000001U)), TopicName("orders.v1_a-b"), 100};
  CHECK(topic_hash(foo) == -6095863947380164374);
  CHECK(topic_hash(orders) == 2040628375343646345);
  CHECK(group_hash({{"foo", topic_hash(foo)}}) == 700890870694798138);
  CHECK(group_hash({{"orders.v1_a-b", topic_hash(orders)}, {"foo", topic_hash(foo)}}) == -8118926867477920392);
}

TEST_CASE("a group without topics has hash 0") {
  CHECK(group_hash({}) == 0);
}

TEST_CASE("id, name and partitions all count") {
  const TopicView topic{TopicId(Uuid(1, 2)), TopicName("t"), 3};
  CHECK(topic_hash(topic) != topic_hash({TopicId(Uuid(1, 3)), topic.name, 3}));
  CHECK(topic_hash(topic) != topic_hash({topic.id, TopicName("u"), 3}));
  CHECK(topic_hash(topic) != topic_hash({topic.id, topic.name, 4}));
}

}  // namespace cohort::coordinator
