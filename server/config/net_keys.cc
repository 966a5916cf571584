// Keys of the server itself and of its connections. Ranges are those of Kafka's ServerConfigs and SocketServerConfigs.
#include <fmt/format.h>

#include <algorithm>

#include "server/config/key_store.h"
#include "server/config/listeners.h"
#include "server/config/parse.h"

namespace cohort::config {
namespace {

using S = ServerConfig;
using N = NetConfig;

template <auto Field>
constexpr auto net() {
  return &store<&S::net, Field>;
}

Result<void> set_listeners(ServerConfig& config, const Value& value) {
  auto listeners = parse_listeners(std::get<std::vector<std::string>>(value), true);
  if (!listeners) return std::unexpected(listeners.error());
  config.net.listeners = *listeners;
  config.net.advertised = *std::move(listeners);
  return {};
}

// Runs after set_listeners: the row stands below.
Result<void> set_advertised(ServerConfig& config, const Value& value) {
  auto advertised = parse_listeners(std::get<std::vector<std::string>>(value), false);
  if (!advertised) return std::unexpected(advertised.error());
  // What is listened on and not advertised is still listened on; Kafka tells its clients of no broker then.
  for (Listener& own : config.net.advertised) {
    if (is_every_address(own.host)) own.host.clear();
  }
  for (const Listener& listener : *advertised) {
    const auto same = std::ranges::find(config.net.listeners, listener.name, &Listener::name);
    if (same == config.net.listeners.end()) {
      return fail(ErrorKind::kInvalid, fmt::format("names of listeners only, and {} is none", listener.name));
    }
    if (!listener.host.empty() && is_every_address(listener.host)) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("a host that clients can connect to, not every address of this machine; e.g. "
                              "{}://localhost:{}",
                              listener.name, listener.port));
    }
    config.net.advertised[static_cast<std::size_t>(same - config.net.listeners.begin())] = listener;
  }
  return {};
}

Result<void> set_security_protocols(ServerConfig& config, const Value& value) {
  auto protocols = parse_security_protocols(std::get<std::vector<std::string>>(value));
  if (!protocols) return std::unexpected(protocols.error());
  config.net.security_protocols = *std::move(protocols);
  return {};
}

Result<void> set_cluster_id(ServerConfig& config, const Value& value) {
  const auto& id = std::get<std::string>(value);
  const auto is_plain = [](char c) { return c > ' ' && c < '\x7f' && c != '\\'; };
  if (id.empty() || id.size() > 100 || !std::ranges::all_of(id, is_plain)) {
    return fail(ErrorKind::kInvalid, "1 to 100 printable characters without blanks");
  }
  config.cluster_id = id;
  return {};
}

constexpr std::string_view kLevels = "one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL, OFF";

Result<void> set_log_level(ServerConfig& config, const Value& value) {
  const auto level = log::parse_level(std::get<std::string>(value));
  if (!level) return fail(ErrorKind::kInvalid, std::string(kLevels));
  config.log.level = *level;
  return {};
}

Result<void> set_log_levels(ServerConfig& config, const Value& value) {
  for (const std::string& item : std::get<std::vector<std::string>>(value)) {
    const std::string_view text = item;
    const std::size_t equals = std::min(text.find('='), text.size());
    const std::string_view component = trimmed(text.substr(0, equals));
    const auto level = log::parse_level(trimmed(text.substr(std::min(equals + 1, text.size()))));
    if (!level || component.empty()) {
      return fail(ErrorKind::kInvalid, fmt::format("COMPONENT=LEVEL,... with {}", kLevels));
    }
    config.log.levels.emplace_back(component, *level);
  }
  return {};
}

Result<void> set_queued_max_bytes(ServerConfig& config, const Value& value) {
  const std::int64_t bytes = std::get<std::int64_t>(value);
  if (bytes > 0) config.net.queued_max_bytes = bytes;
  return {};
}

}  // namespace

std::vector<Key> net_keys() {
  using enum KeyType;
  return {
      {.name = "node.id",
       .type = kInt,
       .default_text = "1",
       .min = 0,
       .doc = "The id under which clients see this server.",
       .set = &store<&S::node_id>},
      {.name = "broker.id",
       .type = kInt,
       .default_text = std::nullopt,
       .min = 0,
       .doc = "The older name of node.id; of the two, this one counts when both are set.",
       .set = &store<&S::node_id>},
      {.name = "broker.rack",
       .type = kString,
       .default_text = std::nullopt,
       .doc = "The rack that clients are told.",
       .set = &store<&S::rack>},
      {.name = "listeners",
       .type = kList,
       .default_text = "PLAINTEXT://:9092",
       .doc = "Where the server listens: NAME://HOST:PORT. An empty host or 0.0.0.0 is every address, port 0 any free "
              "port, IPv6 stands in brackets. Names that controller.listener.names holds are passed over.",
       .set = set_listeners},
      {.name = "advertised.listeners",
       .type = kList,
       .default_text = std::nullopt,
       .doc = "What clients are told to connect to, where it differs from listeners. Without it: the listener itself, "
              "or this machine's host name where its host is empty. 0.0.0.0 cannot be told to clients: with such a "
              "listener, say it here.",
       .set = set_advertised},
      {.name = "listener.security.protocol.map",
       .type = kList,
       .default_text = "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
       .doc = "NAME:PROTOCOL for each name in listeners. Only PLAINTEXT is served: a listener with another protocol is "
              "refused.",
       .set = set_security_protocols},
      {.name = "cohort.cluster.id",
       .type = kString,
       .default_text = std::nullopt,
       .doc = "The cluster id that a new data folder gets, by default a random one. The variable CLUSTER_ID sets it, "
              "too.",
       .set = set_cluster_id},
      {.name = "cohort.log.level",
       .type = kString,
       .default_text = "INFO",
       .doc = "What is logged at the least: TRACE, DEBUG, INFO, WARN, ERROR, FATAL or OFF. The variable "
              "KAFKA_LOG4J_ROOT_LOGLEVEL sets it, too.",
       .set = set_log_level},
      {.name = "cohort.log.levels",
       .type = kList,
       .default_text = std::nullopt,
       .doc = "COMPONENT=LEVEL for components of their own level; the brackets of each line of the log name its "
              "component. Unknown ones are passed over. The variable KAFKA_LOG4J_LOGGERS sets it, too.",
       .set = set_log_levels},
      {.name = "socket.request.max.bytes",
       .type = kInt,
       .default_text = "104857600",
       .min = 1,
       .doc = "Largest request; a connection that announces a larger one is closed.",
       .set = net<&N::request_max_bytes>()},
      {.name = "queued.max.request.bytes",
       .type = kLong,
       .default_text = "-1",
       .min = -1,
       .doc = "Memory for the requests of all connections together; beyond it, reading waits. -1 is 1 GiB.",
       .set = set_queued_max_bytes},
      {.name = "cohort.queued.max.reply.bytes",
       .type = kLong,
       .default_text = "536870912",
       .min = 1 << 20,
       .doc =
           "Memory for answers that clients have not taken yet, of all connections together. When it is used up, "
           "requests with large answers wait, and clients that take no bytes are closed. Records from files take none.",
       .set = net<&N::queued_max_reply_bytes>()},
      {.name = "socket.listen.backlog.size",
       .type = kInt,
       .default_text = "4096",
       .min = 1,
       .doc = "Connections that the system keeps waiting to be accepted.",
       .set = net<&N::listen_backlog>()},
      {.name = "socket.send.buffer.bytes",
       .type = kInt,
       .default_text = "102400",
       .min = -1,
       .doc = "Send buffer of a socket; -1 leaves it to the system.",
       .set = net<&N::send_buffer_bytes>()},
      {.name = "socket.receive.buffer.bytes",
       .type = kInt,
       .default_text = "102400",
       .min = -1,
       .doc = "Receive buffer of a socket; -1 leaves it to the system.",
       .set = net<&N::receive_buffer_bytes>()},
      {.name = "max.connections",
       .type = kInt,
       .default_text = "2147483647",
       .min = 0,
       .doc = "Connections at any time; further ones are closed at once.",
       .set = net<&N::max_connections>()},
      {.name = "max.connections.per.ip",
       .type = kInt,
       .default_text = "2147483647",
       .min = 0,
       .doc = "Connections from one address at any time; further ones are closed at once.",
       .set = net<&N::max_connections_per_ip>()},
      {.name = "connections.max.idle.ms",
       .type = kLong,
       .default_text = "600000",
       .doc = "A connection that is silent for so long is closed; a negative value never closes one.",
       .set = net<&N::max_idle>()},
      {.name = "cohort.connections.stall.timeout.ms",
       .type = kInt,
       .default_text = "30000",
       .min = 1,
       .doc = "A connection whose client takes no byte of a waiting reply, or sends none of a request that it has "
              "begun, for so long is closed.",
       .set = net<&N::stall_timeout>()},
      {.name = "cohort.reactors",
       .type = kInt,
       .default_text = "0",
       .min = 0,
       .max = 256,
       .doc = "Event loops, each a thread; 0 is one per core.",
       .set = &store<&S::reactors>},
      {.name = "fetch.max.bytes",
       .type = kInt,
       .default_text = "57671680",
       .min = 1024,
       .doc = "Most bytes of records in one answer to Fetch.",
       .set = &store<&S::fetch_max_bytes>},
      {.name = "max.incremental.fetch.session.cache.slots",
       .type = kInt,
       .default_text = "1000",
       .min = 0,
       .doc = "Fetch sessions that are kept, with at most 256 partitions each on average; consumers beyond that send "
              "full requests, as all do with 0.",
       .set = &store<&S::fetch_session_slots>},
      {.name = "max.request.partition.size.limit",
       .type = kInt,
       .default_text = "2000",
       .min = 1,
       .doc = "Most partitions in one answer to DescribeTopicPartitions.",
       .set = &store<&S::max_request_partitions>},
  };
}

}  // namespace cohort::config
