#include "protocol/wire/tagged_fields.h"

#include "protocol/base/check.h"

namespace cohort::protocol {

void TaggedFields::append(std::uint32_t tag, Bytes data) {
  if (!fields_) fields_ = std::make_unique<std::vector<TaggedField>>();
  CHECK(fields_->empty() || fields_->back().tag < tag, "tagged fields are kept in ascending order");
  fields_->push_back(TaggedField{tag, std::move(data)});
}

}  // namespace cohort::protocol
