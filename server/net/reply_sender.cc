#include "server/net/reply_sender.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <utility>

namespace cohort::net {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kKeptSendBytes = 64 * 1024;                  // a larger buffer is given back after it was sent
constexpr std::size_t kMaxPerTurn = std::size_t{4} * 1024 * 1024;  // then the reactor's other connections have a turn

std::size_t send_region(int socket, const protocol::FileRegion& region, std::size_t done,
                        boost::system::error_code& error) {
  auto position = static_cast<off_t>(region.position + done);
  const ssize_t sent = ::sendfile(socket, region.descriptor, &position, region.size - done);
  if (sent > 0) return static_cast<std::size_t>(sent);
  if (sent == 0) {
    error = asio::error::eof;  // the file is shorter than it was
  } else {
    error.assign(errno, boost::system::system_category());
  }
  return 0;
}

bool is_for_later(const boost::system::error_code& error) {
  return error == asio::error::would_block || error == asio::error::try_again;
}

}  // namespace

void ReplySender::take(protocol::ResponseBuffer& output) {
  std::swap(sending_, output);
  sent_ = sent_bytes_ = attachment_ = sent_of_attachment_ = 0;
}

// What comes next: bytes up to the next attachment, or (the rest of) that.
std::size_t ReplySender::send_some(asio::ip::tcp::socket& socket, boost::system::error_code& error) {
  const bool has_attachment = attachment_ < sending_.attachments.size();
  const std::size_t until = has_attachment ? sending_.attachments[attachment_].at : sending_.bytes.size();
  if (sent_bytes_ < until) {
    // What is in front of an attachment goes out together with it.
    const std::size_t count = socket.send(asio::buffer(sending_.bytes.data() + sent_bytes_, until - sent_bytes_),
                                          has_attachment ? MSG_MORE : 0, error);
    sent_bytes_ += count;
    return count;
  }
  const protocol::Records& records = sending_.attachments[attachment_].records;
  const auto* region = records.region();
  const std::size_t count =
      region != nullptr
          ? send_region(socket.native_handle(), *region, sent_of_attachment_, error)
          : socket.send(asio::buffer(records.view().data() + sent_of_attachment_, records.size() - sent_of_attachment_),
                        0, error);
  sent_of_attachment_ += count;
  if (sent_of_attachment_ == records.size()) {
    ++attachment_;
    sent_of_attachment_ = 0;
  }
  return count;
}

ReplySender::Outcome ReplySender::send(asio::ip::tcp::socket& socket) {
  std::size_t sent_now = 0;
  while (in_flight() > 0) {
    if (sent_now >= kMaxPerTurn) return Outcome::kNotYet;
    boost::system::error_code error;
    const std::size_t count = send_some(socket, error);
    sent_ += count;
    sent_now += count;
    if (error) return is_for_later(error) ? Outcome::kNotYet : Outcome::kFailed;
  }
  if (sending_.bytes.capacity() > kKeptSendBytes) sending_.bytes = {};
  sending_.clear();
  sent_ = 0;
  return Outcome::kDone;
}

}  // namespace cohort::net
