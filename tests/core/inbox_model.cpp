// SPDX-License-Identifier: BSL-1.0
// Invariants 4 and 5 of detail/core/loop.hpp, checked in every order in which two producers and the
// loop can take their steps (faults 38 and 39, R11). This is a model: what it proves of the
// algorithm, threadsafe.cpp tries out on the code. Each step below is one access of Loop::push,
// wake_if_asleep, take_posted, poll or close_inbox.
//
// Memory: the loop's stores go through a buffer that may be emptied late, as on x86 and for relaxed
// stores in C++; a seq_cst store empties it. The producers' only stores are read-modify-writes. A
// relaxed load of the inbox may see too little.

#include <gtest/gtest.h>

#include <array>
#include <compare>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace {

constexpr int kProducers = 2;
constexpr int kPosts = 2;  // of each producer

/// What may be left out of the algorithm, to see that the model finds it.
class Rules {
 public:
  bool looks_again = true;       // at the inbox, after sleeping has been set
  bool sleeping_seq_cst = true;  // the store before that
  bool counts_wakers = true;     // and close waits for them
  bool closes = false;           // the loop may close at any time
  int early_returns = 1;         // of the poller, for a timer or a signal
};

enum class Post : char { push, look, count, claim, ring, leave, done };
enum class Step : char {
  take,
  fall_asleep,
  look_again,
  poll,
  wake_up,
  close_flag,
  close_inbox,
  close_wait,
  close_poller,
  done
};

struct Producer {
  Post step = Post::push;
  char posted = 0;
  auto operator<=>(const Producer&) const = default;
};

struct State {
  // Shared.
  std::vector<char> inbox;  // oldest first; an item is its producer's number
  bool inbox_closed = false;
  bool sleeping = false;
  char wakers = 0;
  bool bell = false;  // the poller's descriptor can be read
  bool poller_closed = false;
  // The loop's.
  Step step = Step::take;
  std::vector<bool> late_stores;  // to sleeping
  bool waits = false;
  char early_returns = 0;
  std::array<char, kProducers> got{};  // run, or discarded at the close
  // The producers'.
  std::array<Producer, kProducers> producers;
  std::array<char, kProducers> refused{};

  auto operator<=>(const State&) const = default;
};

/// Explores every order. `error` is the first thing that must not happen, or empty.
class Explorer {
 public:
  explicit Explorer(Rules rules) : rules_(rules) {
    State first;
    first.early_returns = static_cast<char>(rules.early_returns);
    add(first);
    for (std::size_t next = 0; next < states_.size() && error.empty(); ++next) expand(next);
    if (error.empty()) check_progress();
  }

  std::string error;
  std::size_t states() const { return states_.size(); }

 private:
  std::size_t add(const State& state) {
    auto [at, is_new] = numbers_.try_emplace(state, states_.size());
    if (is_new) {
      states_.push_back(&at->first);
      before_.emplace_back();
    }
    return at->second;
  }

  void expand(std::size_t number) {
    from_ = number;
    moved_ = false;
    const State& state = *states_[number];
    for (int i = 0; i < kProducers; ++i) producer_step(state, static_cast<std::size_t>(i));
    loop_step(state);
    if (!state.late_stores.empty()) {
      State after = state;
      empty_one(after);
      go(after);
    }
    if (moved_) return;
    if (over(state))
      finals_.push_back(number);
    else if (error.empty())
      error = "lost wake-up: the loop sleeps, and nothing will wake it";
  }

  void go(const State& after) {
    moved_ = true;
    before_[add(after)].push_back(from_);
  }

  bool over(const State& state) const {
    for (const Producer& producer : state.producers)
      if (producer.step != Post::done) return false;
    return state.step == Step::done;
  }

  // --- Loop::push and wake_if_asleep ---

  void producer_step(const State& state, std::size_t who) {
    State after = state;
    Producer& self = after.producers[who];
    auto next_post = [&self] { self.step = ++self.posted == kPosts ? Post::done : Post::push; };
    switch (self.step) {
      case Post::push:
        if (state.inbox_closed) {
          ++after.refused[who];
          next_post();
        } else {
          after.inbox.push_back(static_cast<char>(who));
          self.step = Post::look;
        }
        break;
      case Post::look:
        if (!state.sleeping)
          next_post();
        else
          self.step = rules_.counts_wakers ? Post::count : Post::claim;
        break;
      case Post::count:
        ++after.wakers;
        self.step = Post::claim;
        break;
      case Post::claim:
        self.step = state.sleeping ? Post::ring : Post::leave;
        after.sleeping = false;
        break;
      case Post::ring:
        if (state.poller_closed) error = "a closed poller was woken";
        after.bell = true;
        self.step = Post::leave;
        break;
      case Post::leave:
        if (rules_.counts_wakers) --after.wakers;
        next_post();
        break;
      case Post::done:
        return;
    }
    go(after);
  }

  // --- Loop::run_once and close ---

  void loop_step(const State& state) {
    State after = state;
    switch (state.step) {
      case Step::take:
        take(state);
        return;
      case Step::fall_asleep:
        after.late_stores.push_back(true);
        if (rules_.sleeping_seq_cst) empty_all(after);
        after.waits = true;
        after.step = rules_.looks_again ? Step::look_again : Step::poll;
        break;
      case Step::look_again:
        after.waits = state.inbox.empty();
        after.step = Step::poll;
        break;
      case Step::poll:
        poll(state);
        return;
      case Step::wake_up:
        after.late_stores.push_back(false);
        after.step = Step::take;
        break;
      case Step::close_flag:
        after.late_stores.push_back(false);
        empty_all(after);
        after.step = Step::close_inbox;
        break;
      case Step::close_inbox:
        receive(after);
        after.inbox_closed = true;
        after.step = Step::close_wait;
        break;
      case Step::close_wait:
        if (rules_.counts_wakers && state.wakers > 0) return;
        after.step = Step::close_poller;
        break;
      case Step::close_poller:
        after.poller_closed = true;
        after.step = Step::done;
        break;
      case Step::done:
        return;
    }
    go(after);
  }

  void take(const State& state) {
    State nothing = state;  // there is nothing, or the relaxed load does not see it yet
    nothing.step = Step::fall_asleep;
    if (!all_got(state)) go(nothing);
    if (!state.inbox.empty()) {
      State after = state;
      receive(after);
      go(after);
    }
    if (rules_.closes || all_got(state)) {
      State after = state;
      after.step = Step::close_flag;
      go(after);
    }
  }

  void poll(const State& state) {
    State after = state;
    after.bell = false;
    after.step = Step::wake_up;
    if (state.bell || !state.waits) return go(after);
    if (state.early_returns == 0) return;  // sleeps
    --after.early_returns;
    go(after);
  }

  void receive(State& after) {
    for (char item : after.inbox) ++after.got[static_cast<std::size_t>(item)];
    after.inbox.clear();
  }

  bool all_got(const State& state) const {
    for (char count : state.got)
      if (count != kPosts) return false;
    return true;
  }

  static void empty_one(State& after) {
    after.sleeping = after.late_stores.front();
    after.late_stores.erase(after.late_stores.begin());
  }
  static void empty_all(State& after) {
    while (!after.late_stores.empty()) empty_one(after);
  }

  // --- What must hold ---

  /// From every state the end can be reached, and there every post has come to something.
  void check_progress() {
    std::vector<bool> reaches(states_.size());
    std::vector<std::size_t> work = finals_;
    for (std::size_t number : finals_) {
      reaches[number] = true;
      const State& end = *states_[number];
      for (std::size_t i = 0; i < kProducers; ++i)
        if (end.got[i] + end.refused[i] != kPosts) error = "a post was lost or came twice";
    }
    while (!work.empty()) {
      std::size_t number = work.back();
      work.pop_back();
      for (std::size_t earlier : before_[number]) {
        if (reaches[earlier]) continue;
        reaches[earlier] = true;
        work.push_back(earlier);
      }
    }
    for (bool good : reaches)
      if (!good) error = "a state from which the end cannot be reached";
  }

  Rules rules_;
  std::map<State, std::size_t> numbers_;
  std::vector<const State*> states_;
  std::vector<std::vector<std::size_t>> before_;
  std::vector<std::size_t> finals_;
  std::size_t from_ = 0;
  bool moved_ = false;
};

TEST(InboxModel, fault39_no_order_of_steps_loses_a_wake_up) {
  for (int early : {0, 1}) {
    Rules rules;
    rules.early_returns = early;
    Explorer explorer(rules);
    EXPECT_EQ(explorer.error, "");
    EXPECT_GT(explorer.states(), 1000u);
  }
}

TEST(InboxModel, fault39_without_the_second_look_a_wake_up_is_lost) {
  Rules rules;
  rules.looks_again = false;
  rules.early_returns = 0;
  EXPECT_EQ(Explorer(rules).error, "lost wake-up: the loop sleeps, and nothing will wake it");
}

TEST(InboxModel, fault39_with_a_relaxed_store_before_the_second_look_a_wake_up_is_lost) {
  Rules rules;
  rules.sleeping_seq_cst = false;
  rules.early_returns = 0;
  EXPECT_EQ(Explorer(rules).error, "lost wake-up: the loop sleeps, and nothing will wake it");
}

TEST(InboxModel, R11_a_close_at_any_time_leaves_no_wake_up_for_a_closed_poller) {
  Rules rules;
  rules.closes = true;
  Explorer explorer(rules);
  EXPECT_EQ(explorer.error, "");
  EXPECT_GT(explorer.states(), 1000u);
}

TEST(InboxModel, R11_without_the_count_of_wakers_a_closed_poller_is_woken) {
  Rules rules;
  rules.closes = true;
  rules.counts_wakers = false;
  EXPECT_EQ(Explorer(rules).error, "a closed poller was woken");
}

}  // namespace
