// Listeners: from the text of several keys to NetConfig's two lists, by the rules of Kafka's AbstractKafkaConfig and
// SocketServerConfigs. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "server/config/server_config.h"

namespace cohort::config {

// "PLAINTEXT://0.0.0.0:9092", "PLAINTEXT://[::1]:9092", "PLAINTEXT://:9092". A name is kept in upper case, as Kafka's
// ListenerName.normalised does.
Result<Listener> parse_listener(std::string_view text);

// Setters of the key table: each item's form, and that names (and, where it listens itself, ports) are not repeated.
Result<std::vector<Listener>> parse_listeners(const std::vector<std::string>& items, bool distinct_ports);
Result<SecurityProtocols> parse_security_protocols(const std::vector<std::string>& items);

// "" , "0.0.0.0", "::": listens everywhere, and is nothing that a client could connect to.
bool is_every_address(std::string_view host);

// The items of `listeners` without those that controller.listener.names names: Kafka's controllers listen there, and
// cohort has none. Both as they stand in a file.
std::string without_controllers(std::string_view listeners, std::string_view controller_names);

// What `listeners` is when only advertised.listeners was given: nothing when the default does, as in Kafka; else the
// same names and ports on every address, as Confluent's image does, for Kafka would refuse to start.
std::optional<std::string> listeners_for(std::string_view advertised);

// What is wrong with the listeners together with their protocols: what the key `listeners` must be instead, empty when
// all is well.
std::string why_not_served(const NetConfig& net);

}  // namespace cohort::config
