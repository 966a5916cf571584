#include "protocol/wire/records.h"

#include "protocol/base/check.h"

namespace cohort::protocol {

const Bytes& Records::bytes() const {
  CHECK(region() == nullptr, "records of a file are looked into as if they were in memory");
  return std::get<Bytes>(held_);
}

}  // namespace cohort::protocol
