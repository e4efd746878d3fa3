// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/client_errors.hpp"
#include "http/compression.hpp"

#include <algorithm>
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <new>

namespace asyncio::http::detail {

namespace {

const std::uint8_t* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

class BrotliDecoder final : public Decoder {
 public:
  BrotliDecoder() {
    if (!state_) throw std::bad_alloc();
  }

  Decoded decode(std::string_view& input, std::string& output, std::size_t at_most) override {
    std::size_t end = output.size() + at_most;
    for (;;) {
      const std::uint8_t* next = bytes_of(input);
      std::size_t left = input.size(), no_room = 0;
      BrotliDecoderResult result =
          ::BrotliDecoderDecompressStream(state_.get(), &left, &next, &no_room, nullptr, nullptr);
      input.remove_prefix(input.size() - left);
      take(output, end - output.size());
      if (result == BROTLI_DECODER_RESULT_ERROR) refuse();
      bool has_more = ::BrotliDecoderHasMoreOutput(state_.get()) != 0;
      if (result == BROTLI_DECODER_RESULT_SUCCESS && !has_more) return Decoded::Ended;
      if (output.size() == end) return Decoded::HasOutput;
      if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT && !has_more) return Decoded::NeedsInput;
    }
  }

  bool is_complete() const noexcept override {
    return ::BrotliDecoderIsFinished(state_.get()) != 0;
  }

 private:
  void take(std::string& output, std::size_t at_most) {
    while (at_most > 0) {
      std::size_t size = at_most;
      const std::uint8_t* piece = ::BrotliDecoderTakeOutput(state_.get(), &size);
      if (size == 0) return;
      output.append(reinterpret_cast<const char*>(piece), size);
      at_most -= size;
    }
  }

  [[noreturn]] void refuse() const {
    BrotliDecoderErrorCode code = ::BrotliDecoderGetErrorCode(state_.get());
    throw ContentEncodingError(std::string("no brotli stream: ") +
                               ::BrotliDecoderErrorString(code));
  }

  struct Destroy {
    void operator()(BrotliDecoderState* state) const noexcept {
      ::BrotliDecoderDestroyInstance(state);
    }
  };
  std::unique_ptr<BrotliDecoderState, Destroy> state_{
      ::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)};
};

class BrotliEncoder final : public Encoder {
 public:
  explicit BrotliEncoder(int level) {
    if (!state_) throw std::bad_alloc();
    ::BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY,
                                static_cast<std::uint32_t>(std::clamp(level, 0, 11)));
  }

  void encode(std::string_view input, Flush flush, std::string& output) override {
    BrotliEncoderOperation how = flush == Flush::None   ? BROTLI_OPERATION_PROCESS
                                 : flush == Flush::Sync ? BROTLI_OPERATION_FLUSH
                                                        : BROTLI_OPERATION_FINISH;
    const std::uint8_t* next = bytes_of(input);
    std::size_t left = input.size();
    do {
      std::size_t no_room = 0;
      if (!::BrotliEncoderCompressStream(state_.get(), how, &left, &next, &no_room, nullptr,
                                         nullptr))
        throw std::bad_alloc();
      std::size_t size = 0;
      const std::uint8_t* piece = ::BrotliEncoderTakeOutput(state_.get(), &size);
      output.append(reinterpret_cast<const char*>(piece), size);
    } while (left > 0 || ::BrotliEncoderHasMoreOutput(state_.get()));
  }

 private:
  struct Destroy {
    void operator()(BrotliEncoderState* state) const noexcept {
      ::BrotliEncoderDestroyInstance(state);
    }
  };
  std::unique_ptr<BrotliEncoderState, Destroy> state_{
      ::BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)};
};

}  // namespace

std::unique_ptr<Decoder> make_brotli_decoder() { return std::make_unique<BrotliDecoder>(); }

std::unique_ptr<Encoder> make_brotli_encoder(std::optional<int> level) {
  constexpr int kForAnswers = 5;  // the best of brotli's levels takes seconds for a mebibyte
  return std::make_unique<BrotliEncoder>(level.value_or(kForAnswers));
}

}  // namespace asyncio::http::detail
