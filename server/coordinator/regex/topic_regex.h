// Subscriptions by regular expression (RE2, as in Kafka): checking one, and finding the topics that it matches.
// Pure functions without state, for any thread: resolving is done by a job. re2 itself stays in the .cc.
//
// As in Kafka (TopicRegexResolver) an expression must match the whole name, internal topics are matched like others,
// and only topics that the member may not describe would be left out; there is no authoriser yet.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>

#include "server/coordinator/core/jobs.h"
#include "server/coordinator/core/metadata_view.h"

namespace cohort::coordinator {

// A longer expression is refused before anything is compiled. A topic name has 249 characters at most.
inline constexpr std::size_t kMaxRegexBytes = 4096;

// Nothing when the expression is valid, else the sentence that goes with error 128 (INVALID_REGULAR_EXPRESSION).
std::optional<std::string> regex_error(std::string_view regex);

// The existing topics that each expression matches. An invalid one, which was refused when it came, matches nothing.
// started_wall_ms is left to the caller, who knows the time. An expression that outgrows its automaton takes
// milliseconds per topic: once `ending` is asked to stop, what was found so far comes back.
ResolvedRegexes resolve_regexes(const MetadataView& metadata, const std::set<std::string>& regexes,
                                const std::stop_token& ending = {});

}  // namespace cohort::coordinator
