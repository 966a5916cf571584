#include "server/net/reply_sender.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

namespace cohort::net {
namespace {

using boost::asio::ip::tcp;
using protocol::ResponseBuffer;

// Two ends of one connection over loopback; the near one does not block.
struct Pair {
  boost::asio::io_context context;
  tcp::socket near{context};
  tcp::socket far{context};

  Pair() {
    tcp::acceptor acceptor(context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    far.connect(acceptor.local_endpoint());
    near = acceptor.accept();
    near.non_blocking(true);
  }
};

// A file without a name that holds these bytes; closed with the last region of it.
protocol::FileRegion file_of(const std::string& text) {
  std::string path = "/tmp/cohort_region_XXXXXX";
  const int descriptor = ::mkstemp(path.data());
  REQUIRE(descriptor >= 0);
  ::unlink(path.c_str());
  REQUIRE(::pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  return {std::shared_ptr<const void>(nullptr, [descriptor](const void*) { ::close(descriptor); }), descriptor, 0,
          text.size()};
}

void add(ResponseBuffer& buffer, const std::string& text) {
  buffer.bytes.append(std::as_bytes(std::span(text)));
}

// Sends until all is gone; the far end reads along.
std::string send_all(Pair& pair, ReplySender& sender) {
  std::string got;
  std::vector<char> room(100'000);
  const std::size_t size = sender.in_flight();
  int waits = 0;
  while (sender.send(pair.near) == ReplySender::Outcome::kNotYet) {
    got.append(room.data(), pair.far.read_some(boost::asio::buffer(room)));
    ++waits;
  }
  while (got.size() < size) got.append(room.data(), pair.far.read_some(boost::asio::buffer(room)));
  CHECK((size < 8'000'000 || waits > 0));
  CHECK(sender.in_flight() == 0);
  return got;
}

TEST_CASE("sender: bytes, attached bytes and regions of a file leave in order, whatever the socket takes") {
  std::string file_text;
  file_text.resize(9'000'000);
  for (std::size_t i = 0; i < file_text.size(); ++i) file_text[i] = static_cast<char>(i * 31 / 7);
  protocol::FileRegion part = file_of(file_text);
  part.position = 1'000;
  part.size = 8'500'000;

  ResponseBuffer buffer;
  const std::string blob(200'000, 'b');
  add(buffer, "head");
  buffer.attach(part);
  buffer.attach(protocol::Bytes::copy_of(blob));
  add(buffer, "between");
  buffer.attach(protocol::Bytes::copy_of(blob));
  add(buffer, "end");
  const std::string expected = "head" + file_text.substr(1'000, 8'500'000) + blob + "between" + blob + "end";
  REQUIRE(buffer.size() == expected.size());

  Pair pair;
  ReplySender sender;
  sender.take(buffer);
  CHECK(buffer.empty());
  CHECK(sender.in_flight() == expected.size());
  CHECK((send_all(pair, sender) == expected));

  // And again with the same sender.
  add(buffer, "more");
  sender.take(buffer);
  CHECK(send_all(pair, sender) == "more");
}

TEST_CASE("sender: a file that became shorter breaks the connection") {
  protocol::FileRegion region = file_of(std::string(50'000, 'x'));
  REQUIRE(::ftruncate(region.descriptor, 20'000) == 0);
  ResponseBuffer buffer;
  buffer.attach(region);
  Pair pair;
  ReplySender sender;
  sender.take(buffer);
  CHECK(sender.send(pair.near) == ReplySender::Outcome::kFailed);
}

TEST_CASE("sender: a client that went away breaks the connection") {
  Pair pair;
  pair.far.close();
  ReplySender sender;
  ReplySender::Outcome outcome = ReplySender::Outcome::kDone;
  for (int i = 0; i < 1'000 && outcome != ReplySender::Outcome::kFailed; ++i) {
    ResponseBuffer buffer;
    add(buffer, std::string(10'000, 'x'));
    sender.take(buffer);
    outcome = sender.send(pair.near);
  }
  CHECK(outcome == ReplySender::Outcome::kFailed);
}

}  // namespace
}  // namespace cohort::net
