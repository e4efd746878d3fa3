// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace bench {

namespace {

constexpr std::size_t kQueries = 1000;

void print_curve(const std::vector<CurvePoint>& curve) {
  std::puts(
      "| ef | recall@10 | plain hnswlib's | p50 us | p99 us | searches/s | plain's | ratio |");
  std::puts("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
  for (const CurvePoint& point : curve)
    std::printf("| %zu | %.4f | %.4f | %.0f | %.0f | %.0f | %.0f | %.2f |\n", point.ef,
                point.recall, point.plain_recall, point.alone.p50, point.alone.p99,
                point.together.per_second, point.plain.per_second,
                point.together.per_second / point.plain.per_second);
}

void print_row(const std::string& name, const Speed& speed, double plain_per_second) {
  std::printf("| %s | %.0f | %.2f | ", name.c_str(), speed.per_second,
              speed.per_second / plain_per_second);
  if (speed.p50 > 0)
    std::printf("%.2f | %.2f | ", speed.p50 / 1000, speed.p99 / 1000);
  else
    std::printf("| | ");
  if (speed.there > 0)
    std::printf("%.0f | %.0f |\n", speed.there, speed.here);
  else
    std::printf("%.0f | |\n", speed.here);
}

void print_service(const ServiceFigures& service) {
  std::puts("| searches | a second | of plain's | p50 ms | p99 ms | CPU us a search | client's |");
  std::puts("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
  const double plain = service.plain.per_second;
  const std::string at_once = std::to_string(kConcurrency);
  print_row("plain hnswlib, " + std::to_string(processors()) + " threads", service.plain, plain);
  print_row("service, one at a time", service.alone, plain);
  print_row("service, " + at_once + " at a time", service.together, plain);
  print_row("service, " + at_once + " at a time, beside a writer", service.beside_writes, plain);
  std::vector<double> ratios = service.ratios;
  std::sort(ratios.begin(), ratios.end());
  std::printf(
      "\nRound by round, %s at a time: %.2f to %.2f of plain hnswlib's, in the median %.2f.\n",
      at_once.c_str(), ratios.front(), ratios.back(), ratios[ratios.size() / 2]);
}

void print_rest(const Figures& figures) {
  const ServiceFigures& service = figures.service;
  std::puts("| what | |\n| --- | ---: |");
  std::printf("| recall@10 through the service | %.4f |\n", service.recall);
  std::printf("| the same, `exact` | %.4f |\n", service.exact_recall);
  std::printf("| inserted through the client | %.0f points/s |\n", service.inserted_per_second);
  std::printf("| written beside the searches | %.0f points/s |\n", service.written_per_second);
  std::printf("| restart until `/readyz` | %.1f s |\n", service.ready_seconds);
  std::printf("| plain hnswlib, built | %.1f s |\n", figures.plain_seconds);
  std::printf("| memory of the server | %zu bytes a vector |\n", service.bytes);
  std::printf("| of them in the index | %zu bytes a vector |\n", figures.index_bytes);
  std::printf("| memory of plain hnswlib | %zu bytes a vector |\n", figures.plain_bytes);
}

}  // namespace

Setup::Setup(std::size_t count, std::size_t dimensions)
    : data(dimensions),
      config(dimensions, vectordb::Distance::Euclid),
      points(data.take(count)),
      queries(data.take(kQueries)),
      truth(Plain::exact(points, queries)) {
  config.hnsw.full_scan_threshold = 0;  // through the graph, however few they are
}

void print(const Setup& setup, const Figures& figures) {
  const std::size_t threads = processors();
  std::printf(
      "%zu points of %zu dimensions in clusters (fixed seed), Euclid, m %zu, ef_construct "
      "%zu; %zu processors.\n\n",
      setup.points.size(), setup.config.size, setup.config.hnsw.m, setup.config.hnsw.ef_construct,
      threads);
  std::printf(
      "The engine in this process beside plain hnswlib, of the same points: recall of %zu "
      "queries; time of one\nsearch at a time; searches a second of %zu tasks on %zu "
      "threads, and of %zu threads that call hnswlib.\n\n",
      setup.queries.size(), kConcurrency, threads, threads);
  print_curve(figures.curve);
  std::printf(
      "\n`vectordb serve` with %zu threads for reads, through HTTP, beside plain hnswlib, ef "
      "%zu. Client and server\nshare the processors: the client's part is of one that "
      "sends finished bytes and does not read JSON.\n\n",
      threads, setup.ef());
  print_service(figures.service);
  std::puts("");
  print_rest(figures);
}

void write_csv(const std::string& path, const std::vector<CurvePoint>& curve) {
  std::ofstream file(path);
  file << "ef,recall,plain_recall,p50_us,p99_us,per_second,plain_per_second,ratio\n";
  for (const CurvePoint& point : curve)
    file << point.ef << ',' << point.recall << ',' << point.plain_recall << ',' << point.alone.p50
         << ',' << point.alone.p99 << ',' << point.together.per_second << ','
         << point.plain.per_second << ',' << point.together.per_second / point.plain.per_second
         << '\n';
}

}  // namespace bench
