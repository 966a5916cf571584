// What an old librdkafka (Debian 12: 2.0.2, without KIP-848) can do with cohortd: create a topic, produce, consume by
// assign, commit and fetch offsets without being a member, delete. Usage: librdkafka_client HOST:PORT
//
// Each step prints one line; the first that fails ends the program with status 1.
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace {

constexpr int kTimeoutMs = 10'000;
constexpr int kPartitions = 3;
constexpr int kRecords = 900;

template <auto Destroy>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Destroy(object);
  }
};
using Client = std::unique_ptr<rd_kafka_t, Deleter<rd_kafka_destroy>>;
using Partitions = std::unique_ptr<rd_kafka_topic_partition_list_t, Deleter<rd_kafka_topic_partition_list_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, Deleter<rd_kafka_message_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Deleter<rd_kafka_event_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Deleter<rd_kafka_queue_destroy>>;

void require(bool holds, std::string_view what) {
  if (holds) return;
  fmt::print("FAILED: {}\n", what);
  std::exit(1);
}
void require_ok(rd_kafka_resp_err_t error, std::string_view what) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) require(false, fmt::format("{}: {}", what, rd_kafka_err2str(error)));
}

Client make_client(rd_kafka_type_t type, const std::string& bootstrap, const std::string& group) {
  char reason[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  auto set = [&](const char* key, const std::string& value) {
    require(rd_kafka_conf_set(conf, key, value.c_str(), reason, sizeof reason) == RD_KAFKA_CONF_OK, reason);
  };
  set("bootstrap.servers", bootstrap);
  if (type == RD_KAFKA_CONSUMER) {
    set("group.id", group);
    set("enable.auto.commit", "false");
  } else {
    set("acks", "all");
    set("enable.idempotence", "true");
    set("compression.type", "lz4");
  }
  Client client(rd_kafka_new(type, conf, reason, sizeof reason));
  require(client != nullptr, reason);
  return client;
}

void create_topic(rd_kafka_t* client, const std::string& topic) {
  char reason[512];
  Queue queue(rd_kafka_queue_new(client));
  rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(topic.c_str(), kPartitions, 1, reason, sizeof reason);
  rd_kafka_CreateTopics(client, &wanted, 1, nullptr, queue.get());
  rd_kafka_NewTopic_destroy(wanted);
  Event event(rd_kafka_queue_poll(queue.get(), kTimeoutMs));
  require(event != nullptr, "CreateTopics gave no answer");
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  require(count == 1, "one created topic");
  require_ok(rd_kafka_topic_result_error(results[0]), "create topic");
  fmt::print("created {} with {} partitions\n", topic, kPartitions);
}

void delete_topic(rd_kafka_t* client, const std::string& topic) {
  Queue queue(rd_kafka_queue_new(client));
  rd_kafka_DeleteTopic_t* wanted = rd_kafka_DeleteTopic_new(topic.c_str());
  rd_kafka_DeleteTopics(client, &wanted, 1, nullptr, queue.get());
  rd_kafka_DeleteTopic_destroy(wanted);
  Event event(rd_kafka_queue_poll(queue.get(), kTimeoutMs));
  require(event != nullptr, "DeleteTopics gave no answer");
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  require(count == 1, "one deleted topic");
  require_ok(rd_kafka_topic_result_error(results[0]), "delete topic");
  fmt::print("deleted {}\n", topic);
}

void produce(rd_kafka_t* producer, const std::string& topic) {
  for (int n = 0; n < kRecords; ++n) {
    const std::string value = fmt::format("record {}", n);
    require_ok(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(n % kPartitions),
                                 RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
               "produce");
  }
  require_ok(rd_kafka_flush(producer, kTimeoutMs), "flush");
  require(rd_kafka_outq_len(producer) == 0, "every record acknowledged");
  fmt::print("produced {} records, idempotent, lz4\n", kRecords);
}

Partitions all_partitions(const std::string& topic, std::int64_t offset) {
  Partitions list(rd_kafka_topic_partition_list_new(kPartitions));
  for (int p = 0; p < kPartitions; ++p) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), p)->offset = offset;
  }
  return list;
}

void consume_by_assign(rd_kafka_t* consumer, const std::string& topic) {
  require_ok(rd_kafka_assign(consumer, all_partitions(topic, RD_KAFKA_OFFSET_BEGINNING).get()), "assign");
  std::set<std::string> values;
  for (std::time_t end = std::time(nullptr) + 30; values.size() < kRecords && std::time(nullptr) < end;) {
    Message message(rd_kafka_consumer_poll(consumer, 200));
    if (message == nullptr) continue;
    require_ok(message->err, "poll");
    values.emplace(static_cast<const char*>(message->payload), message->len);
  }
  require(values.size() == kRecords, fmt::format("{} different records read, expected {}", values.size(), kRecords));
  fmt::print("consumed {} records by assign\n", values.size());
}

void commit_and_fetch(rd_kafka_t* consumer, const std::string& topic) {
  Partitions offsets = all_partitions(topic, 0);
  for (int p = 0; p < kPartitions; ++p) offsets->elems[p].offset = 100 + p;
  require_ok(rd_kafka_commit(consumer, offsets.get(), 0), "commit");
  Partitions committed = all_partitions(topic, RD_KAFKA_OFFSET_INVALID);
  require_ok(rd_kafka_committed(consumer, committed.get(), kTimeoutMs), "committed");
  for (int p = 0; p < kPartitions; ++p) {
    require_ok(committed->elems[p].err, "committed partition");
    require(committed->elems[p].offset == 100 + p,
            fmt::format("partition {}: committed {}, fetched {}", p, 100 + p, committed->elems[p].offset));
  }
  fmt::print("committed offsets without a member and fetched the same\n");
}

void query_watermarks(rd_kafka_t* client, const std::string& topic) {
  for (int p = 0; p < kPartitions; ++p) {
    std::int64_t low = -1;
    std::int64_t high = -1;
    require_ok(rd_kafka_query_watermark_offsets(client, topic.c_str(), p, &low, &high, kTimeoutMs), "watermarks");
    require(low == 0 && high == kRecords / kPartitions, fmt::format("partition {}: watermarks {} to {}", p, low, high));
  }
  fmt::print("watermarks are 0 and {} in each partition\n", kRecords / kPartitions);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print("usage: {} HOST:PORT\n", argv[0]);
    return 2;
  }
  const std::string topic = fmt::format("librdkafka-{}", std::time(nullptr));
  Client producer = make_client(RD_KAFKA_PRODUCER, argv[1], "");
  Client consumer = make_client(RD_KAFKA_CONSUMER, argv[1], topic + "-group");
  fmt::print("librdkafka {}\n", rd_kafka_version_str());
  create_topic(producer.get(), topic);
  produce(producer.get(), topic);
  query_watermarks(consumer.get(), topic);
  consume_by_assign(consumer.get(), topic);
  commit_and_fetch(consumer.get(), topic);
  require_ok(rd_kafka_consumer_close(consumer.get()), "close");
  delete_topic(producer.get(), topic);
  fmt::print("all passed\n");
  return 0;
}
