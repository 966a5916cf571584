// The composition root: makes every part of the process, joins them, runs until it is told to end, takes them apart.
#pragma once

#include "protocol/base/result.h"
#include "server/config/config.h"

namespace cohort::app {

// Starts the server and returns after SIGTERM or SIGINT, when everything is written and closed. The error says in one
// sentence why it could not start or did not end well. Call it from main, before any other thread exists.
Result<void> run_until_signal(const config::Loaded& config);

}  // namespace cohort::app
