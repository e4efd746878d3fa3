// SPDX-License-Identifier: BSL-1.0
/// Vectors as embeddings are: in clusters, and with fewer degrees of freedom than dimensions.
#pragma once

#include <cstddef>
#include <random>
#include <vector>

namespace bench {

/// centre of a cluster + 24 latent coordinates through a random map + a little noise. The same on
/// each run.
class Dataset {
 public:
  explicit Dataset(std::size_t dimensions, std::size_t clusters = 200) : random_(1) {
    for (std::size_t i = 0; i < kLatent; ++i) basis_.push_back(noise(dimensions, 1));
    for (std::size_t i = 0; i < clusters; ++i) centres_.push_back(noise(dimensions, 2));
  }

  std::vector<float> next() {
    const std::vector<float>& centre = centres_[random_() % centres_.size()];
    std::vector<float> vector = noise(centre.size(), 0.3F);
    const std::vector<float> latent = noise(kLatent, 1);
    for (std::size_t i = 0; i < vector.size(); ++i) {
      vector[i] += centre[i];
      for (std::size_t j = 0; j < kLatent; ++j) vector[i] += latent[j] * basis_[j][i];
    }
    return vector;
  }
  std::vector<std::vector<float>> take(std::size_t count) {
    std::vector<std::vector<float>> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(next());
    return all;
  }

 private:
  static constexpr std::size_t kLatent = 24;

  std::vector<float> noise(std::size_t size, float width) {
    std::normal_distribution<float> normal(0, width);
    std::vector<float> vector(size);
    for (float& value : vector) value = normal(random_);
    return vector;
  }

  std::mt19937 random_;
  std::vector<std::vector<float>> basis_, centres_;
};

}  // namespace bench
