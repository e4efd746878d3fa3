// SPDX-License-Identifier: BSL-1.0
#include "http/websocket_engine.hpp"

#include "asyncio/exceptions.hpp"
#include "http/utf8.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>
#include <sys/random.h>
#include <utility>
#include <wslay/wslay.h>

namespace asyncio::http::detail {

namespace {

constexpr std::size_t kMaxControl = 125;

/// Random bytes for masks; the kernel is asked for many at once.
class Masks {
 public:
  bool take(std::uint8_t* to, std::size_t size) noexcept {
    if (size > bytes_.size()) return false;
    if (left_ < size) {
      if (::getrandom(bytes_.data(), bytes_.size(), 0) != static_cast<ssize_t>(bytes_.size()))
        return false;
      left_ = bytes_.size();
    }
    left_ -= size;
    std::memcpy(to, bytes_.data() + left_, size);
    return true;
  }

 private:
  std::array<std::uint8_t, 256> bytes_;  // getrandom gives so many whole
  std::size_t left_ = 0;
};

thread_local Masks masks;

std::optional<WSMsgType> type_of(std::uint8_t opcode) noexcept {
  switch (opcode) {
    case WSLAY_TEXT_FRAME:
      return WSMsgType::Text;
    case WSLAY_BINARY_FRAME:
      return WSMsgType::Binary;
    case WSLAY_CONNECTION_CLOSE:
      return WSMsgType::Close;
    case WSLAY_PING:
      return WSMsgType::Ping;
    case WSLAY_PONG:
      return WSMsgType::Pong;
    default:
      return std::nullopt;
  }
}

std::uint8_t opcode_of(WSMsgType type) {
  switch (type) {
    case WSMsgType::Text:
      return WSLAY_TEXT_FRAME;
    case WSMsgType::Binary:
      return WSLAY_BINARY_FRAME;
    case WSMsgType::Ping:
      return WSLAY_PING;
    case WSMsgType::Pong:
      return WSLAY_PONG;
    case WSMsgType::Close:
    case WSMsgType::Closed:
      break;
  }
  throw ValueError("a close is not sent as a message: call close()");
}

/// Those that RFC 6455, 7.4 lets an endpoint send.
bool may_be_sent(WSCloseCode code) noexcept {
  auto number = static_cast<unsigned>(code);
  bool is_of_protocol =
      number >= 1000 && number <= 1014 && number != 1004 && number != 1005 && number != 1006;
  return is_of_protocol || (number >= 3000 && number <= 4999);
}

const std::uint8_t* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

}  // namespace

/// Called by wslay, through which no exception may pass.
struct WebSocketEngine::Callbacks {
  static WebSocketEngine& engine(void* user) noexcept {
    return *static_cast<WebSocketEngine*>(user);
  }

  static ssize_t receive(wslay_event_context* context, std::uint8_t* to, std::size_t size, int,
                         void* user) {
    std::string_view& input = engine(user).input_;
    if (input.empty()) {
      ::wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
      return -1;
    }
    size = std::min(size, input.size());
    std::memcpy(to, input.data(), size);
    input.remove_prefix(size);
    return static_cast<ssize_t>(size);
  }

  static ssize_t send(wslay_event_context* context, const std::uint8_t* data, std::size_t size, int,
                      void* user) {
    WebSocketEngine& self = engine(user);
    try {
      self.output_->append(reinterpret_cast<const char*>(data), size);
      return static_cast<ssize_t>(size);
    } catch (...) {  // take_output throws it
      self.failure_ = std::current_exception();
      ::wslay_event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE);
      return -1;
    }
  }

  static int mask(wslay_event_context* context, std::uint8_t* to, std::size_t size, void* user) {
    if (masks.take(to, size)) return 0;
    engine(user).failure_ = std::make_exception_ptr(OSError(errno, "getrandom"));
    ::wslay_event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
  }

  /// wslay takes half a code for none.
  static void frame(wslay_event_context*, const wslay_event_on_frame_recv_start_arg* frame,
                    void* user) {
    if (frame->opcode == WSLAY_CONNECTION_CLOSE && frame->payload_length == 1)
      engine(user).close_lacks_code_ = true;
  }

  static void message(wslay_event_context*, const wslay_event_on_msg_recv_arg* message,
                      void* user) {
    WebSocketEngine& self = engine(user);
    std::optional<WSMsgType> type = type_of(message->opcode);
    if (!type || self.close_lacks_code_) return;
    std::string_view data(reinterpret_cast<const char*>(message->msg), message->msg_length);
    // A close frame's first two bytes are the code.
    if (*type == WSMsgType::Close) data.remove_prefix(std::min<std::size_t>(2, data.size()));
    try {
      self.received_.push_back({*type, wslay_get_rsv1(message->rsv) != 0, std::string(data),
                                static_cast<WSCloseCode>(message->status_code)});
    } catch (...) {  // feed throws it
      self.failure_ = std::current_exception();
    }
  }
};

WebSocketEngine::WebSocketEngine(const Settings& settings) : settings_(settings) {
  wslay_event_callbacks callbacks{};
  callbacks.recv_callback = Callbacks::receive;
  callbacks.send_callback = Callbacks::send;
  callbacks.genmask_callback = Callbacks::mask;
  callbacks.on_frame_recv_start_callback = Callbacks::frame;
  callbacks.on_msg_recv_callback = Callbacks::message;
  if (settings.deflate) deflate_.emplace(*settings.deflate, settings.is_client);
  int status = settings.is_client ? ::wslay_event_context_client_init(&context_, &callbacks, this)
                                  : ::wslay_event_context_server_init(&context_, &callbacks, this);
  if (status != 0) throw std::bad_alloc();
  ::wslay_event_config_set_max_recv_msg_length(context_, settings.max_message);
  if (deflate_) ::wslay_event_config_set_allowed_rsv_bits(context_, WSLAY_RSV1_BIT);
}

WebSocketEngine::~WebSocketEngine() { ::wslay_event_context_free(context_); }

void WebSocketEngine::feed(std::string_view bytes) {
  input_ = bytes;
  int status = wants_input() ? ::wslay_event_recv(context_) : 0;
  input_ = {};
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  if (status == WSLAY_ERR_NOMEM) throw std::bad_alloc();
  if (status == WSLAY_ERR_CALLBACK_FAILURE) close_lacks_code_ = true;
}

std::optional<WSMessage> WebSocketEngine::next() {
  if (received_.empty()) return std::nullopt;
  Received received = std::move(received_.front());
  received_.pop_front();
  return open(std::move(received));
}

std::optional<WSMessage> WebSocketEngine::open(Received received) {
  WSMessage message{received.type, std::move(received.data), received.code};
  if (!received.compressed) return message;
  std::string payload = std::exchange(message.data, {});
  switch (deflate_->decompress(payload, settings_.max_message, message.data)) {
    case PermessageDeflate::Outcome::TooBig:
      return refuse(WSCloseCode::MessageTooBig, "too big");
    case PermessageDeflate::Outcome::Invalid:
      return refuse(WSCloseCode::InvalidText, "no deflate stream");
    case PermessageDeflate::Outcome::Done:
      break;
  }
  if (message.type == WSMsgType::Text && !is_utf8(message.data))
    return refuse(WSCloseCode::InvalidText, "no UTF-8");
  return message;
}

std::optional<WSMessage> WebSocketEngine::refuse(WSCloseCode code, std::string_view reason) {
  close(code, reason);
  received_.clear();
  ::wslay_event_shutdown_read(context_);
  return std::nullopt;
}

void WebSocketEngine::send(WSMsgType type, std::string_view data) {
  std::uint8_t opcode = opcode_of(type);
  bool is_control = type == WSMsgType::Ping || type == WSMsgType::Pong;
  if (is_control && data.size() > kMaxControl)
    throw ValueError("a ping or pong of " + std::to_string(data.size()) +
                     " bytes; the limit is 125");
  std::string packed;
  bool compressed = deflate_ && !is_control;
  if (compressed) {
    packed = deflate_->compress(data);
    data = packed;
  }
  wslay_event_msg message{opcode, bytes_of(data), data.size()};
  int status =
      ::wslay_event_queue_msg_ex(context_, &message, compressed ? WSLAY_RSV1_BIT : WSLAY_RSV_NONE);
  if (status == WSLAY_ERR_NOMEM) throw std::bad_alloc();
}

void WebSocketEngine::close(WSCloseCode code, std::string_view reason) {
  if (!may_be_sent(code))
    throw ValueError("close code " + std::to_string(static_cast<int>(code)) + " cannot be sent");
  if (reason.size() > kMaxControl - 2)
    throw ValueError("a close reason of " + std::to_string(reason.size()) +
                     " bytes; the limit is 123");
  int status = ::wslay_event_queue_close(context_, static_cast<std::uint16_t>(code),
                                         bytes_of(reason), reason.size());
  if (status == WSLAY_ERR_NOMEM) throw std::bad_alloc();
}

void WebSocketEngine::take_output(std::string& output) {
  output_ = &output;
  int status = ::wslay_event_send(context_);
  output_ = nullptr;
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  if (status == WSLAY_ERR_NOMEM) throw std::bad_alloc();
  if (close_lacks_code_ && is_close_sent() && !code_added_) add_code(output);
}

/// wslay answers a frame that it cannot read with a close frame without a code: the output's end.
void WebSocketEngine::add_code(std::string& output) {
  code_added_ = true;
  std::string code{static_cast<char>(static_cast<int>(WSCloseCode::ProtocolError) >> 8),
                   static_cast<char>(static_cast<int>(WSCloseCode::ProtocolError) & 0xFF)};
  std::size_t mask = settings_.is_client ? 4 : 0;
  std::size_t length_at = output.size() - mask - 1;
  for (std::size_t i = 0; i < code.size() && mask > 0; ++i)
    code[i] = static_cast<char>(code[i] ^ output[length_at + 1 + i]);
  output[length_at] = static_cast<char>(output[length_at] + 2);
  output += code;
}

bool WebSocketEngine::is_close_sent() const noexcept {
  return ::wslay_event_get_close_sent(context_) != 0;
}

bool WebSocketEngine::is_close_received() const noexcept {
  return ::wslay_event_get_close_received(context_) != 0;
}

bool WebSocketEngine::wants_input() const noexcept {
  return ::wslay_event_want_read(context_) != 0;
}

WSCloseCode WebSocketEngine::sent_code() const noexcept {
  if (code_added_) return WSCloseCode::ProtocolError;
  return static_cast<WSCloseCode>(::wslay_event_get_status_code_sent(context_));
}

}  // namespace asyncio::http::detail
