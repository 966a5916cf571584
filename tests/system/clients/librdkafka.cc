// librdkafka's C interface as a member of a group: see README.md.
#include <librdkafka/rdkafka.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <queue>
#include <regex>
#include <string>
#include <thread>

namespace {

using Options = std::map<std::string, std::string>;

Options parse(const std::string& json) {
  static const std::regex kOption(R"re("(\w+)"\s*:\s*"([^"]*)")re");
  Options options;
  for (std::sregex_iterator found(json.begin(), json.end(), kOption), end; found != end; ++found) {
    options[(*found)[1]] = (*found)[2];
  }
  return options;
}

void tell(const std::string& event) {
  std::cout << event << std::endl;  // flushed: somebody waits for it
}

class Commands {
 public:
  Commands() : reader_([this] { read(); }) { reader_.detach(); }
  std::string take() {
    const std::lock_guard lock(mutex_);
    if (lines_.empty()) return {};
    std::string line = lines_.front();
    lines_.pop();
    return line;
  }

 private:
  void read() {
    for (std::string line; std::getline(std::cin, line);) {
      const std::lock_guard lock(mutex_);
      lines_.push(line);
    }
  }

  std::mutex mutex_;
  std::queue<std::string> lines_;
  std::thread reader_;
};

void show_assignment(rd_kafka_t* client) {
  rd_kafka_topic_partition_list_t* partitions = nullptr;
  if (rd_kafka_assignment(client, &partitions) != RD_KAFKA_RESP_ERR_NO_ERROR) return;  // it is closing
  std::string list;
  for (int i = 0; i < partitions->cnt; ++i) {
    list += (list.empty() ? "" : ", ") + std::to_string(partitions->elems[i].partition);
  }
  rd_kafka_topic_partition_list_destroy(partitions);
  tell("{\"assigned\": [" + list + "]}");
}

void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions, void*) {
  const bool cooperative = std::string(rd_kafka_rebalance_protocol(client)) == "COOPERATIVE";
  const bool assigned = error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  if (cooperative) {
    rd_kafka_error_destroy(assigned ? rd_kafka_incremental_assign(client, partitions)
                                    : rd_kafka_incremental_unassign(client, partitions));
  } else {
    rd_kafka_assign(client, assigned ? partitions : nullptr);
  }
  show_assignment(client);
}

void set(rd_kafka_conf_t* config, const char* key, const std::string& value) {
  char why[256];
  if (rd_kafka_conf_set(config, key, value.c_str(), why, sizeof why) == RD_KAFKA_CONF_OK) return;
  std::fprintf(stderr, "%s\n", why);
  std::exit(1);
}

rd_kafka_t* make_consumer(char** arguments, const Options& options) {
  rd_kafka_conf_t* config = rd_kafka_conf_new();
  set(config, "bootstrap.servers", arguments[1]);
  set(config, "group.id", arguments[2]);
  set(config, "auto.offset.reset", "earliest");
  set(config, "enable.auto.commit", "false");
  set(config, "log_level", "0");
  set(config, "partition.assignment.strategy", options.at("assignor"));
  if (options.contains("instance")) {
    set(config, "group.instance.id", options.at("instance"));
    set(config, "session.timeout.ms", options.at("session_ms"));
  }
  rd_kafka_conf_set_rebalance_cb(config, on_rebalance);
  char why[256];
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, config, why, sizeof why);
  if (client == nullptr) {
    std::fprintf(stderr, "%s\n", why);
    std::exit(1);
  }
  rd_kafka_poll_set_consumer(client);
  return client;
}

void show(rd_kafka_message_t* message) {
  if (message == nullptr) return;
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    tell("{\"record\": [" + std::to_string(message->partition) + ", " + std::to_string(message->offset) + ", \"" +
         std::string(static_cast<const char*>(message->payload), message->len) + "\"]}");
  }
  rd_kafka_message_destroy(message);
}

void commit(rd_kafka_t* client) {
  const rd_kafka_resp_err_t error = rd_kafka_commit(client, nullptr, 0);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__NO_OFFSET) {
    tell("{\"committed\": true}");
  } else {
    tell(std::string("{\"error\": \"commit: ") + rd_kafka_err2str(error) + "\"}");
  }
}

}  // namespace

int main(int, char** arguments) {
  rd_kafka_t* client = make_consumer(arguments, parse(arguments[4]));
  rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, arguments[3], RD_KAFKA_PARTITION_UA);
  rd_kafka_subscribe(client, topics);
  rd_kafka_topic_partition_list_destroy(topics);
  Commands commands;
  for (std::string command; command != "close"; command = commands.take()) {
    if (command == "commit") commit(client);
    show(rd_kafka_consumer_poll(client, 50));
  }
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
  tell("{\"closed\": true}");
  std::_Exit(0);  // the reader of commands still waits for one
}
