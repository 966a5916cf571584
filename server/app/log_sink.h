// Where the lines of protocol/base/log.h go: standard output, one line each, in the layout of Kafka's log4j, so that
// people's eyes and tools find their way. Thread-safe.
#pragma once

#include "server/config/server_config.h"

namespace cohort::app {

// Once, before there are threads. The levels are those of the start. Names of components that are not here are passed
// over: KAFKA_LOG4J_LOGGERS names classes of Kafka.
void install_log_sink(const config::LogConfig& config);

}  // namespace cohort::app
