// SPDX-License-Identifier: BSL-1.0
#include "http/websocket_engine.hpp"

#include "asyncio/exceptions.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace asyncio::http::detail {

namespace {

constexpr std::size_t kCodeSize = 2;
/// What is unmasked at once of a message that is compressed.
constexpr std::size_t kPiece = std::size_t{4} << 10;
/// More than there is memory for, and so little that no sum with it wraps.
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max() / 4;

Opcode opcode_of(WSMsgType type) {
  switch (type) {
    case WSMsgType::Text:
      return Opcode::text;
    case WSMsgType::Binary:
      return Opcode::binary;
    case WSMsgType::Ping:
      return Opcode::ping;
    case WSMsgType::Pong:
      return Opcode::pong;
    case WSMsgType::Close:
    case WSMsgType::Closed:
      break;
  }
  throw ValueError("a close is not sent as a message: call close()");
}

/// Those that RFC 6455, 7.4, and the registry it has made let an endpoint send.
bool may_be_sent(WSCloseCode code) noexcept {
  auto number = static_cast<unsigned>(code);
  bool is_of_protocol =
      number >= 1000 && number <= 1014 && number != 1004 && number != 1005 && number != 1006;
  return is_of_protocol || (number >= 3000 && number <= 4999);
}

std::string close_payload(WSCloseCode code, std::string_view reason) {
  if (code == WSCloseCode::None) return {};
  auto number = static_cast<unsigned>(code);
  std::string payload{static_cast<char>(number >> 8), static_cast<char>(number & 0xFF)};
  return payload += reason;
}

}  // namespace

WebSocketEngine::WebSocketEngine(const Settings& settings)
    : max_message_(settings.max_message == 0 ? kNoLimit : std::min(settings.max_message, kNoLimit)),
      heads_(!settings.is_client, settings.deflate.has_value()),
      is_client_(settings.is_client),
      autoping_(settings.autoping),
      autoclose_(settings.autoclose) {
  if (settings.deflate)
    deflate_ = std::make_unique<PermessageDeflate>(*settings.deflate, settings.is_client);
}

std::optional<WSMessage> WebSocketEngine::next(std::string_view& input, std::string& output) {
  while (wants_input()) {
    if (!in_payload_) {
      auto outcome = heads_.read(input);
      if (outcome == FrameHeadReader::Outcome::invalid)
        refuse(WSCloseCode::ProtocolError, heads_.error(), output);
      if (outcome != FrameHeadReader::Outcome::complete || !begin_frame(output)) break;
    }
    take_payload(input, output);
    if (failed() || position_ < heads_.head().length) break;
    in_payload_ = false;
    std::optional<WSMessage> message = end_frame(output);
    if (message) return message;
  }
  return std::nullopt;
}

bool WebSocketEngine::begin_frame(std::string& output) {
  const FrameHead& head = heads_.head();
  in_payload_ = true;
  position_ = 0;
  control_.reset();
  if (is_control(head.opcode)) return true;
  if ((head.opcode == Opcode::continuation) != in_message_) {
    refuse(WSCloseCode::ProtocolError,
           in_message_ ? "a message within another" : "a continuation of nothing", output);
    return false;
  }
  // A message that would be too large is refused before there is memory for it. What cannot be
  // compressed is a little larger if it is.
  const bool compressed = head.compressed || (in_message_ && is_compressed_);
  const std::size_t most = compressed ? max_message_ + max_message_ / 8 + kPiece : max_message_;
  if (head.length > most - message_.size()) {
    refuse(WSCloseCode::MessageTooBig, "a message that is too large", output);
    return false;
  }
  if (!in_message_) {
    in_message_ = true;
    is_text_ = head.opcode == Opcode::text;
    is_compressed_ = head.compressed;
    utf8_ = Utf8();
  }
  return true;
}

void WebSocketEngine::take_payload(std::string_view& input, std::string& output) {
  const FrameHead& head = heads_.head();
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>(head.length - position_, input.size()));
  std::string_view piece = input.substr(0, count);
  input.remove_prefix(count);
  if (is_control(head.opcode))
    take_control(piece);
  else if (is_compressed_)
    take_compressed(piece, output);
  else
    take_data(piece, output);
  position_ += count;
}

void WebSocketEngine::take_control(std::string_view piece) {
  if (!control_) control_ = std::make_unique<std::string>();
  const std::size_t from = control_->size();
  *control_ += piece;
  apply_mask(control_->data() + from, piece.size(), heads_.head().mask,
             static_cast<std::size_t>(position_));
}

void WebSocketEngine::take_data(std::string_view piece, std::string& output) {
  const std::size_t from = message_.size();
  make_room(from + piece.size());
  message_ += piece;
  if (!is_client_)
    apply_mask(message_.data() + from, piece.size(), heads_.head().mask,
               static_cast<std::size_t>(position_));
  check_text(from, output);
}

void WebSocketEngine::take_compressed(std::string_view piece, std::string& output) {
  std::array<char, kPiece> plain;
  for (std::size_t done = 0; done < piece.size() && !failed();) {
    const std::size_t size = std::min(piece.size() - done, plain.size());
    std::copy_n(piece.data() + done, size, plain.data());
    apply_mask(plain.data(), size, heads_.head().mask, static_cast<std::size_t>(position_) + done);
    done += size;
    const std::size_t from = message_.size();
    const auto outcome = deflate_->decompress({plain.data(), size}, max_message_, message_);
    take_decompressed(outcome, from, output);
  }
}

/// What is wrong with the text stands before what is wrong behind it: so the code of the close does
/// not depend on the pieces in which a frame comes.
void WebSocketEngine::take_decompressed(PermessageDeflate::Outcome outcome, std::size_t from,
                                        std::string& output) {
  check_text(from, output);
  if (failed()) return;
  if (outcome == PermessageDeflate::Outcome::too_big)
    refuse(WSCloseCode::MessageTooBig, "a message that is too large", output);
  if (outcome == PermessageDeflate::Outcome::invalid)
    refuse(WSCloseCode::InvalidText, "a message that cannot be decompressed", output);
}

void WebSocketEngine::check_text(std::size_t from, std::string& output) {
  if (is_text_ && !utf8_.feed(std::string_view(message_).substr(from)))
    refuse(WSCloseCode::InvalidText, "a text that is not UTF-8", output);
}

/// Doubles the room, but not beyond what a message may have: std::string would.
void WebSocketEngine::make_room(std::size_t size) {
  if (size <= message_.capacity()) return;
  std::string larger;
  larger.reserve(std::min(std::max(size, 2 * message_.capacity()), max_message_));
  larger += message_;
  message_ = std::move(larger);
}

std::optional<WSMessage> WebSocketEngine::end_frame(std::string& output) {
  const FrameHead& head = heads_.head();
  const std::string_view payload = control_ ? std::string_view(*control_) : std::string_view();
  switch (head.opcode) {
    case Opcode::continuation:
    case Opcode::text:
    case Opcode::binary:
      if (head.fin) return end_message(output);
      break;
    case Opcode::close:
      return end_close(payload, output);
    case Opcode::ping:
      if (!autoping_) return WSMessage{WSMsgType::Ping, std::string(payload), {}};
      send(WSMsgType::Pong, payload, output);
      break;
    case Opcode::pong:
      if (!autoping_) return WSMessage{WSMsgType::Pong, std::string(payload), {}};
      break;
  }
  return std::nullopt;
}

std::optional<WSMessage> WebSocketEngine::end_message(std::string& output) {
  in_message_ = false;
  if (is_compressed_) {
    const std::size_t from = message_.size();
    const auto outcome = deflate_->finish(max_message_, message_);
    take_decompressed(outcome, from, output);
  }
  if (!failed() && is_text_ && !utf8_.complete())
    refuse(WSCloseCode::InvalidText, "a text that ends within a character", output);
  if (failed()) return std::nullopt;
  return WSMessage{
      is_text_ ? WSMsgType::Text : WSMsgType::Binary, std::exchange(message_, std::string()), {}};
}

std::optional<WSMessage> WebSocketEngine::end_close(std::string_view payload, std::string& output) {
  WSMessage message{WSMsgType::Close, {}, WSCloseCode::None};
  if (!payload.empty()) {
    auto byte = [&](std::size_t at) { return static_cast<unsigned char>(payload[at]); };
    if (payload.size() < kCodeSize) {
      refuse(WSCloseCode::ProtocolError, "half a close code", output);
      return std::nullopt;
    }
    message.close_code = static_cast<WSCloseCode>(byte(0) << 8 | byte(1));
    message.data = payload.substr(kCodeSize);
    if (!may_be_sent(message.close_code))
      refuse(WSCloseCode::ProtocolError, "a close code that cannot be sent", output);
    else if (!is_utf8(message.data))
      refuse(WSCloseCode::InvalidText, "a close reason that is not UTF-8", output);
    if (failed()) return std::nullopt;
  }
  close_received_ = true;
  std::string().swap(message_);  // what has begun will not end
  if (autoclose_ && !is_close_sent()) {
    write(Opcode::close, false, close_payload(message.close_code, {}), output);
    sent_code_ = message.close_code;
  }
  return message;
}

void WebSocketEngine::refuse(WSCloseCode code, std::string_view error, std::string& output) {
  error_ = error;
  std::string().swap(message_);
  close(code, error, output);
}

void WebSocketEngine::send(WSMsgType type, std::string_view data, std::string& output) {
  const Opcode opcode = opcode_of(type);
  if (is_control(opcode) && data.size() > kMaxControl)
    throw ValueError("a ping or pong of " + std::to_string(data.size()) +
                     " bytes; the limit is 125");
  if (is_close_sent()) return;
  if (deflate_ && !is_control(opcode))
    write(opcode, true, deflate_->compress(data), output);
  else
    write(opcode, false, data, output);
}

void WebSocketEngine::close(WSCloseCode code, std::string_view reason, std::string& output) {
  if (!may_be_sent(code))
    throw ValueError("close code " + std::to_string(static_cast<int>(code)) + " cannot be sent");
  if (reason.size() > kMaxControl - kCodeSize)
    throw ValueError("a close reason of " + std::to_string(reason.size()) +
                     " bytes; the limit is 123");
  if (is_close_sent()) return;
  write(Opcode::close, false, close_payload(code, reason), output);
  sent_code_ = code;
}

void WebSocketEngine::write(Opcode opcode, bool compressed, std::string_view payload,
                            std::string& output) const {
  write_frame(output, opcode, compressed, is_client_, payload);
}

}  // namespace asyncio::http::detail
