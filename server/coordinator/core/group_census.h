// How many groups a shard has, and how many of them look alike. Derived from hard state: apply (apply.cc) tells it of
// each id that comes into being or goes, whichever table it is in. On the shard's thread; plain values.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace cohort::coordinator {

// The id with '*' in the place of every run of 16 or more hexadecimal digits and dashes with a digit in it, as UUIDs
// and hashes are: what ids have in common that a client makes anew at each start. Nothing when there is no such run.
// Shorter numbers are let be: devices and tenants are numbered so, and each is a group of its own.
std::optional<std::string> random_pattern(std::string_view id);

class GroupCensus {
 public:
  void came(std::string_view id);
  void went(std::string_view id);

  std::size_t groups() const { return groups_; }
  // Groups with the same random_pattern(); 0 for an id that has none.
  std::size_t alike(std::string_view id) const;

 private:
  std::size_t groups_ = 0;
  std::map<std::string, std::size_t, std::less<>> by_pattern_;  // no zeros
};

}  // namespace cohort::coordinator
