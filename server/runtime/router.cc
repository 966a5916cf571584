#include "server/runtime/router.h"

#include "server/runtime/group_family.h"
#include "server/runtime/router_impl.h"

namespace cohort::runtime {

template class Router<GroupFamily>;

}  // namespace cohort::runtime
