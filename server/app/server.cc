#include "server/app/server.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <semaphore.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <climits>
#include <csignal>
#include <filesystem>
#include <memory>
#include <utility>

#include "protocol/base/log.h"
#include "server/app/backend.h"
#include "server/app/open_files.h"
#include "server/net/server.h"
#include "server/storage/posix_fs.h"

namespace cohort::app {
namespace {

constexpr std::string_view kComponent = "Server";
// How long the parts of the end may take: together below a second.
constexpr std::chrono::milliseconds kLastWrites{400};   // until what was decided is on the disk
constexpr std::chrono::milliseconds kLastReplies{300};  // until the answers are sent
constexpr std::chrono::milliseconds kClosing{200};      // for what makes the next start quick

// What ends the process. While the server starts, a signal ends it on the spot, which harms nothing: nobody was
// answered yet, and a start is made to be cut short. Later main waits for it.
std::atomic<bool> g_serving{false};
std::atomic<int> g_signal{0};
sem_t g_signalled;

void on_signal(int signal) {
  if (!g_serving) ::_exit(0);
  g_signal = signal;
  ::sem_post(&g_signalled);
}

void take_signals() {
  ::sem_init(&g_signalled, 0, 0);
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT}) ::sigaction(signal, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a client that went away is an error of its write
}

int wait_for_signal() {
  g_serving = true;
  while (::sem_wait(&g_signalled) != 0) {
  }
  return g_signal;
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

void log_configuration(const config::Loaded& config) {
  for (const std::string& warning : config.warnings) log::warn("Config", "{}", warning);
  if (!config.ignored.empty()) {
    log::info("Config", "Keys of Kafka that have no effect here: {}", fmt::join(config.ignored, ", "));
  }
}

// The whole process: backend and network, on the real file system.
class Server {
 public:
  Server(const config::Loaded& loaded, const OpenFiles& files);

  Result<void> start();
  Result<void> stop();
  std::string listening_on() const;

 private:
  Result<void> make_data_folder() const;
  void advertise();

  const config::ServerConfig& config_;
  config::NetConfig net_;  // with max.connections as the system allows it
  storage::PosixFs fs_;
  Backend backend_;
  std::unique_ptr<net::Server> network_;
};

Server::Server(const config::Loaded& loaded, const OpenFiles& files)
    : config_(loaded.config), net_(config_.net), backend_(loaded, fs_, files.partitions) {
  if (!std::in_range<std::int32_t>(files.connections)) return;
  net_.max_connections = std::min(net_.max_connections, static_cast<std::int32_t>(files.connections));
}

Result<void> Server::make_data_folder() const {
  std::error_code error;
  std::filesystem::create_directories(config_.log_dir, error);
  if (!error) return {};
  return fail(ErrorKind::kIo, fmt::format("the data folder {} cannot be made: {}", config_.log_dir, error.message()),
              error.value());
}

void Server::advertise() {
  for (std::size_t i = 0; i < config_.net.advertised.size(); ++i) {
    const config::Listener& listener = config_.net.advertised[i];
    backend_.services().advertised.push_back({.host = listener.host.empty() ? host_name() : listener.host,
                                              .port = listener.port != 0 ? listener.port : network_->ports()[i]});
  }
}

std::string Server::listening_on() const {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < config_.net.listeners.size(); ++i) {
    const config::Listener& listener = config_.net.listeners[i];
    const bool is_ipv6 = listener.host.find(':') != std::string::npos;
    texts.push_back(fmt::format(fmt::runtime(is_ipv6 ? "{}://[{}]:{}" : "{}://{}:{}"), listener.name, listener.host,
                                network_->ports()[i]));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

Result<void> Server::start() {
  if (auto made = make_data_folder(); !made) return made;
  if (auto opened = backend_.open(); !opened) return opened;
  network_ = std::make_unique<net::Server>(backend_.reactors(), net_, backend_.services());
  if (auto listening = network_->listen(); !listening) return listening;
  advertise();
  backend_.start();
  network_->start();
  return {};
}

Result<void> Server::stop() {
  network_->stop_reading();
  backend_.finish(kLastWrites);
  const auto deadline = std::chrono::steady_clock::now() + kLastReplies;
  network_->flush([deadline] { return std::chrono::steady_clock::now() < deadline; });
  network_->stop();
  return backend_.stop(kClosing);
}

}  // namespace

Result<void> run_until_signal(const config::Loaded& config) {
  const auto begun = std::chrono::steady_clock::now();
  take_signals();
  const std::uint64_t open_files = raise_open_files();
  const OpenFiles files = share_open_files(open_files);
  log_configuration(config);
  log::info(kComponent, "{} open files allowed: room for {} partitions and {} connections", open_files,
            files.partitions, files.connections);

  Server server(config, files);
  if (auto started = server.start(); !started) return started;
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  log::info(kComponent, "Kafka-compatible server started (cohortd {}) in {} ms: node {}, {}, data in {}",
            COHORT_VERSION, took.count(), config.config.node_id, server.listening_on(), config.config.log_dir);

  // What wrappers of Kafka's images look for in the log (Testcontainers in its languages), so that they find it here,
  // too.
  log::info(kComponent, "[KafkaServer id={}] started: Kafka Server started, Transitioning from RECOVERY to RUNNING",
            config.config.node_id);

  const int signal = wait_for_signal();
  log::info(kComponent, "Ending after {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  auto stopped = server.stop();
  if (stopped) log::info(kComponent, "Ended");
  return stopped;
}

}  // namespace cohort::app
