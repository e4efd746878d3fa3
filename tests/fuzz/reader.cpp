// SPDX-License-Identifier: BSL-1.0
/// StreamReader: whatever comes in whatever pieces, each read gives what its documentation says,
/// and between them they give every byte once and in order. A model of the buffer knows what is
/// due.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/simulated.hpp"
#include "choices.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using fuzz::check;
using fuzz::Choices;

namespace {

enum class Kind { read, readexactly, readuntil, readline, next, read_into, count };

/// What was asked for.
class Question {
 public:
  explicit Question(Choices& choices)
      : kind(static_cast<Kind>(choices.below(static_cast<int>(Kind::count)))),
        number(static_cast<std::size_t>(choices.below(40))) {
    if (kind == Kind::readline || kind == Kind::next) separators.push_back("\n");
    if (kind != Kind::readuntil) return;
    do
      separators.push_back(
          std::string(1 + choices.byte() % 3u, static_cast<char>('a' + choices.below(3))));
    while (choices.one_in(3));
  }

  Kind kind;
  std::size_t number;
  std::vector<std::string> separators;
};

/// What it was answered: bytes, or an error with them.
class Answer {
 public:
  enum class Form { bytes, nothing, incomplete, overrun, value_error, cancelled };
  Form form = Form::bytes;
  std::string bytes;
  std::size_t consumed = 0;
};

Coro<std::string> ask(StreamReader reader, const Question* question, bool* nothing) {
  std::string got;
  switch (question->kind) {
    case Kind::read:
      got = co_await reader.read(static_cast<std::ptrdiff_t>(question->number) - 1);
      break;
    case Kind::readexactly:
      got = co_await reader.readexactly(question->number);
      break;
    case Kind::readuntil:
      got = co_await reader.readuntil(question->separators);
      break;
    case Kind::readline:
      got = co_await reader.readline();
      break;
    case Kind::next: {
      auto line = co_await reader.next();
      *nothing = !line;
      if (line) got = std::move(*line);
      break;
    }
    default: {
      got.resize(question->number);
      std::size_t size = co_await reader.read_into(std::span(got.data(), got.size()));
      got.resize(size);
    }
  }
  co_return got;
}

/// What a reader has to hold.
class Model {
 public:
  Model(std::size_t limit, std::string& log) : limit_(limit), log_(log) {}

  void feed(const std::string& bytes) { buffer_ += bytes; }
  void feed_eof() { eof_ = true; }

  void answered(const Question& question, const Answer& answer) {
    log_ += static_cast<char>(answer.form);
    switch (answer.form) {
      case Answer::Form::cancelled:
        return;
      case Answer::Form::nothing:
        return check(eof_ && buffer_.empty(), "no line, but there is something to read");
      case Answer::Form::overrun:
        return check_overrun(question, answer.consumed);
      case Answer::Form::value_error:
        return clear_overrun();
      case Answer::Form::incomplete:
        check(eof_ && answer.bytes == buffer_, "IncompleteReadError: not all that was left");
        check_incomplete(question);
        return take(answer.bytes);
      case Answer::Form::bytes:
        check_bytes(question, answer.bytes);
        return take(answer.bytes);
    }
  }

  bool all_read() const { return buffer_.empty(); }

 private:
  /// Where the earliest match of a separator ends; 0 for none. Of several that end there it does
  /// not matter which.
  std::size_t end_of_match(const std::vector<std::string>& separators) const {
    std::size_t end = 0;
    for (const auto& separator : separators) {
      std::size_t at = buffer_.find(separator);
      if (at == std::string::npos) continue;
      std::size_t here = at + separator.size();
      if (end == 0 || here < end) end = here;
    }
    return end;
  }

  void take(const std::string& bytes) {
    check(buffer_.starts_with(bytes), "other bytes than what came, or in another order");
    buffer_.erase(0, bytes.size());
  }

  void check_bytes(const Question& question, const std::string& bytes) const {
    switch (question.kind) {
      case Kind::readexactly:
        return check(bytes.size() == question.number, "readexactly: not as many");
      case Kind::readuntil:
        return check(bytes.size() == end_of_match(question.separators), "readuntil: not the first");
      case Kind::readline:
      case Kind::next:
        return check_line(bytes);
      case Kind::read:
        if (question.number == 0)  // read(-1)
          return check(eof_ && bytes == buffer_, "read to the end: not all");
        return check_some(question.number - 1, bytes);
      default:
        return check_some(question.number, bytes);
    }
  }

  void check_line(const std::string& line) const {
    std::size_t end = buffer_.find('\n');
    if (end == std::string::npos)
      check(eof_ && line == buffer_, "a line without an end, before the end");
    else
      check(line.size() == end + 1, "readline: not one line");
  }

  void check_some(std::size_t most, const std::string& bytes) const {
    check(bytes.size() <= most, "read: more than asked for");
    check(!bytes.empty() || most == 0 || (eof_ && buffer_.empty()),
          "read: nothing, not at the end");
  }

  void check_incomplete(const Question& question) const {
    if (question.kind == Kind::readexactly)
      check(buffer_.size() < question.number, "readexactly: there was enough");
    else
      check(end_of_match(question.separators) == 0, "readuntil: there was a separator");
  }

  void check_overrun(const Question& question, std::size_t consumed) const {
    check(consumed <= buffer_.size(), "LimitOverrunError: consumed more than there is");
    check(consumed > limit_ || buffer_.size() > limit_, "LimitOverrunError within the limit");
    check(question.kind == Kind::readuntil, "LimitOverrunError from something else");
  }

  /// readline: the line goes if it is whole, else all that there is. CPython:
  /// StreamReader.readline.
  void clear_overrun() {
    check(buffer_.size() > limit_, "readline: ValueError within the limit");
    std::size_t end = buffer_.find('\n');
    if (end == std::string::npos)
      buffer_.clear();
    else
      buffer_.erase(0, end + 1);
  }

  std::string buffer_;
  bool eof_ = false;
  std::size_t limit_;
  std::string& log_;
};

Answer answer_of(const Task<std::string>& task, bool nothing) {
  Answer answer;
  try {
    answer.bytes = task.result();
    if (nothing) answer.form = Answer::Form::nothing;
  } catch (const IncompleteReadError& error) {
    answer.form = Answer::Form::incomplete;
    answer.bytes = error.partial;
  } catch (const LimitOverrunError& error) {
    answer.form = Answer::Form::overrun;
    answer.consumed = error.consumed;
  } catch (const ValueError&) {
    answer.form = Answer::Form::value_error;
  } catch (const CancelledError&) {
    answer.form = Answer::Form::cancelled;
  }
  return answer;
}

std::string piece(Choices& choices) {
  std::string bytes;
  for (int left = choices.below(24); left > 0; --left) {
    int byte = choices.below(8);
    bytes += byte == 7 ? '\n' : static_cast<char>('a' + byte % 4);
  }
  return bytes;
}

Coro<> read_everything(Choices* choices) {
  std::size_t limit = 1 + choices->byte() % 32u;
  StreamReader reader(limit);
  std::string log;
  Model model(limit, log);
  bool eof = false;
  while (choices->any()) {
    Question question(*choices);
    bool nothing = false;
    Task<std::string> reading = create_task(ask, reader, &question, &nothing);
    do {
      if (!eof && choices->one_in(16)) {
        eof = true;
        reader.feed_eof();
        model.feed_eof();
      }
      if (!eof && choices->below(3) != 0) {
        std::string bytes = piece(*choices);
        reader.feed_data(bytes);
        model.feed(bytes);
      }
      if (choices->one_in(12) || !choices->any()) reading.cancel();
      // The step in which it takes its bytes comes with nothing in between.
      co_await sleep(std::chrono::seconds(0));
    } while (!reading.done());
    model.answered(question, answer_of(reading, nothing));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  testing::run_simulated(read_everything, &choices);
  return 0;
}
