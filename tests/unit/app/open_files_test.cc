// How the open files of the process are shared out between partitions and connections.
#include "server/app/open_files.h"

#include <catch2/catch.hpp>

namespace cohort::app {
namespace {

TEST_CASE("partitions and connections each get half of the files that are left beside the reserve") {
  CHECK(share_open_files(1024).partitions == 384);
  CHECK(share_open_files(1024).connections == 384);
  CHECK(share_open_files(1'048'576).partitions == 524'160);
  // Too few for anything: what cannot be done without is not refused here, it fails where it is opened.
  CHECK(share_open_files(100).partitions == 64);
  CHECK(share_open_files(0).connections == 64);
}

}  // namespace
}  // namespace cohort::app
