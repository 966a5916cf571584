// Recycled<T>: gives T an operator new that takes the memory of an earlier T of this thread, for objects that are made
// and destroyed once per request. Both must happen on the same thread (a call comes home to be destroyed).
//
// Why not malloc: its per-thread cache keeps 7 of a size, while a turn makes hundreds; the rest goes through the shared
// arena, 0.1 microseconds each. Under AddressSanitizer it is malloc, so that a use after the end is seen.
#pragma once

#include <cstddef>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COHORT_RECYCLES_NOTHING 1
#endif
#endif

namespace cohort::reactor {

#ifdef COHORT_RECYCLES_NOTHING
template <typename T>
class Recycled {};
#else
template <typename T>
class Recycled {
 public:
  static void* operator new(std::size_t size) {
    Spare& spare = spare_;
    if (size != sizeof(T) || spare.top == nullptr) return ::operator new(size);
    --spare.count;
    Node* node = spare.top;
    spare.top = node->below;
    return node;
  }
  static void operator delete(void* memory, std::size_t size) {
    Spare& spare = spare_;
    if (size != sizeof(T) || spare.count >= kMaxSpare) return ::operator delete(memory, size);
    ++spare.count;
    spare.top = new (memory) Node{spare.top};
  }

 private:
  static constexpr std::size_t kMaxSpare = 1024;

  struct Node {
    Node* below;
  };
  struct Spare {
    Node* top = nullptr;
    std::size_t count = 0;
    ~Spare() {
      count = kMaxSpare;  // what is destroyed after this goes straight back
      while (top != nullptr) {
        Node* node = top;
        top = node->below;
        ::operator delete(node, sizeof(T));
      }
    }
  };
  static inline thread_local Spare spare_;
};
#endif

}  // namespace cohort::reactor
