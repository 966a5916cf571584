// Where the lines of protocol/base/log.h go: standard output, one line each, in the layout of Kafka's log4j, so that
// people's eyes and tools find their way. Thread-safe.
#pragma once

namespace cohort::app {

// Once, before there are threads.
void install_log_sink();

}  // namespace cohort::app
