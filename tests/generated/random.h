// Pseudo-random field values from a seed; the same seed gives the same message. Extreme values come often.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "protocol/types/uuid.h"
#include "protocol/wire/bytes.h"
#include "protocol/wire/records.h"
#include "protocol/wire/tagged_fields.h"
#include "protocol/wire/text.h"

namespace cohort::protocol::generated {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  // splitmix64
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

  void fill(bool& value) { value = one_in(2); }
  template <std::integral T>
  void fill(T& value) {
    switch (below(4)) {
      case 0:
        value = std::numeric_limits<T>::min();
        break;
      case 1:
        value = std::numeric_limits<T>::max();
        break;
      default:
        value = static_cast<T>(next());
        break;
    }
  }
  void fill(double& value) { value = static_cast<double>(static_cast<std::int64_t>(next())) / 1024; }
  void fill(Uuid& value) { value = one_in(4) ? Uuid() : Uuid(next(), next()); }
  void fill(Text& value) { value = text(); }
  void fill(Bytes& value) { value = Bytes::copy_of(text()); }
  void fill(Records& value) { value = Bytes::copy_of(text()); }
  void fill(TaggedFields& tags) {
    tags.clear();
    if (!one_in(3)) return;
    std::uint32_t tag = 1000;  // above all that schemas use
    for (std::uint64_t i = 0; i <= below(3); ++i) {
      tag += 1 + static_cast<std::uint32_t>(below(100'000));
      tags.append(tag, Bytes::copy_of(text()));
    }
  }
  template <typename T, typename FillOne>
  void fill_array(std::vector<T>& values, FillOne&& fill_one) {
    values.clear();
    // Deep messages would explode if every array had many elements.
    const std::uint64_t count = one_in(8) ? 4 : below(3);
    for (std::uint64_t i = 0; i < count; ++i) fill_one(values.emplace_back());
  }
  template <typename T>
  void fill(std::vector<T>& values) {
    fill_array(values, [&](T& value) { fill(value); });
  }

 private:
  // Empty, inline and on the heap in the terms of Text; longer than a one-byte varint can say.
  std::string text() {
    constexpr std::size_t kSizes[] = {0, 1, 9, 27, 28, 36, 127, 200};
    std::string text(kSizes[below(std::size(kSizes))], '\0');
    for (char& c : text) c = static_cast<char>('a' + below(26));
    return text;
  }

  std::uint64_t state_;
};

}  // namespace cohort::protocol::generated
