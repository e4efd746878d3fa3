// SPDX-License-Identifier: BSL-1.0
// What the thread sanitizer takes for an error, and is none.

/// hnswlib locks a point, and while it has it, one neighbour after the other, in no order of
/// theirs. It comes to no deadlock: of two points that are inserted at a time, the one that the
/// other finds was linked on that layer first, and has not found the other there.
extern "C" const char* __tsan_default_options() { return "detect_deadlocks=0"; }

/// The standard library, which is not built for it, counts the owners of an exception: a thread
/// that frees one seems to do so while another reads it.
extern "C" const char* __tsan_default_suppressions() { return "called_from_lib:libstdc++.so.6\n"; }
