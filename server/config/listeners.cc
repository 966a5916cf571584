#include "server/config/listeners.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "server/config/parse.h"

namespace cohort::config {
namespace {

constexpr std::string_view kForm = "NAME://HOST:PORT, e.g. PLAINTEXT://127.0.0.1:9092";
constexpr std::string_view kPlaintext = "PLAINTEXT";
constexpr std::string_view kProtocols[] = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> items;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    items.push_back(trimmed(text.substr(0, comma)));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return items;
}

bool is_ipv6(std::string_view host) {
  return host.find(':') != std::string_view::npos;
}
bool is_ipv4(std::string_view host) {
  return !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Two listeners may have the same port only when one has an IPv4 address and the other an IPv6 address.
bool collide(const Listener& a, const Listener& b) {
  if (a.port != b.port || a.port == 0) return false;
  return !(is_ipv4(a.host) && is_ipv6(b.host)) && !(is_ipv6(a.host) && is_ipv4(b.host));
}

}  // namespace

bool is_every_address(std::string_view host) {
  return host.empty() || host == "0.0.0.0" || host == "::";
}

Result<Listener> parse_listener(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return fail(ErrorKind::kInvalid, std::string(kForm));
  Listener listener{.name = upper(text.substr(0, scheme)), .host = {}, .port = 0};
  const std::string_view address = text.substr(scheme + 3);
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return fail(ErrorKind::kInvalid, std::string(kForm));
  std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), listener.port);
  if (error != std::errc{} || end != port.data() + port.size()) {
    return fail(ErrorKind::kInvalid, fmt::format("{}, with a port from 0 to 65535", kForm));
  }
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return fail(ErrorKind::kInvalid, std::string(kForm));
    host = host.substr(1, host.size() - 2);
  } else if (is_ipv6(host)) {
    return fail(ErrorKind::kInvalid, "NAME://[HOST]:PORT where HOST is an IPv6 address");
  }
  listener.host = std::string(host);
  return listener;
}

Result<std::vector<Listener>> parse_listeners(const std::vector<std::string>& items, bool distinct_ports) {
  std::vector<Listener> listeners;
  for (const std::string& item : items) {
    auto listener = parse_listener(item);
    if (!listener) return std::unexpected(listener.error());
    for (const Listener& other : listeners) {
      if (other.name == listener->name) return fail(ErrorKind::kInvalid, "each listener name only once");
      if (distinct_ports && collide(other, *listener)) {
        return fail(ErrorKind::kInvalid,
                    "a different port for each listener (two on one port: one address IPv4, the other IPv6)");
      }
    }
    listeners.push_back(*std::move(listener));
  }
  return listeners;
}

Result<SecurityProtocols> parse_security_protocols(const std::vector<std::string>& items) {
  SecurityProtocols protocols;
  for (const std::string& item : items) {
    const std::size_t colon = item.rfind(':');
    const std::string protocol = colon == std::string::npos ? "" : upper(std::string_view(item).substr(colon + 1));
    if (colon == 0 || std::ranges::find(kProtocols, protocol) == std::ranges::end(kProtocols)) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("NAME:PROTOCOL for each listener, with PROTOCOL one of {}", fmt::join(kProtocols, ", ")));
    }
    protocols.insert_or_assign(upper(std::string_view(item).substr(0, colon)), protocol);
  }
  return protocols;
}

std::string without_controllers(std::string_view listeners, std::string_view controller_names) {
  std::vector<std::string> controllers;
  for (std::string_view name : split(controller_names)) controllers.push_back(upper(name));
  std::vector<std::string_view> kept;
  for (std::string_view item : split(listeners)) {
    if (std::ranges::find(controllers, upper(item.substr(0, item.find("://")))) == controllers.end()) {
      kept.push_back(item);
    }
  }
  return fmt::format("{}", fmt::join(kept, ","));
}

std::optional<std::string> listeners_for(std::string_view advertised) {
  std::vector<std::string> listeners;
  bool default_does = true;
  for (std::string_view item : split(advertised)) {
    const auto listener = parse_listener(item);
    if (!listener) return std::nullopt;  // the key itself is refused
    default_does = default_does && listener->name == kPlaintext;
    listeners.push_back(fmt::format("{}://:{}", listener->name, listener->port));
  }
  if (default_does) return std::nullopt;
  return fmt::format("{}", fmt::join(listeners, ","));
}

std::string why_not_served(const NetConfig& net) {
  for (std::size_t i = 0; i < net.listeners.size(); ++i) {
    const Listener& listener = net.listeners[i];
    const auto protocol = net.security_protocols.find(listener.name);
    if (protocol == net.security_protocols.end()) {
      return fmt::format("of listeners whose protocol is known: add {}:PLAINTEXT to listener.security.protocol.map",
                         listener.name);
    }
    if (protocol->second != kPlaintext) {
      return fmt::format(
          "of listeners with the protocol PLAINTEXT: listener.security.protocol.map gives {} the protocol {}, and TLS "
          "and SASL are not served",
          listener.name, protocol->second);
    }
    // Kafka's rule, too: an empty host becomes the machine's name, a meta-address that was written down is a mistake.
    const Listener& advertised = net.advertised[i];
    if (!advertised.host.empty() && is_every_address(advertised.host)) {
      return fmt::format(
          "of addresses that clients can connect to, and {} is every address of this machine: say in "
          "advertised.listeners where clients find {}, e.g. {}://localhost:{}",
          advertised.host, listener.name, listener.name, listener.port);
    }
  }
  return {};
}

}  // namespace cohort::config
