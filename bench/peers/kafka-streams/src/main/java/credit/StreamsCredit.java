package credit;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;

/**
 * The workload on Kafka Streams, topic to topics, exactly once, until the end that the input has at
 * the start: StreamsCredit BOOTSTRAP WORD STATEDIR THREADS COMMIT_MS CACHE_BYTES. Reads "lines",
 * writes "legal-WORD" and so on; prints one line of JSON with what it took.
 */
public final class StreamsCredit {
  private static final String INPUT = "lines";

  private static Properties settings(String[] arguments) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", arguments[0]);
    settings.put("application.id", "bench-streams-" + arguments[1]);
    settings.put("state.dir", arguments[2]);
    settings.put("num.stream.threads", arguments[3]);
    settings.put("commit.interval.ms", arguments[4]);
    settings.put("statestore.cache.max.bytes", arguments[5]);
    settings.put("processing.guarantee", "exactly_once_v2");
    settings.put("replication.factor", "1");
    settings.put("auto.offset.reset", "earliest");
    // For throughput; the defaults are for latency and small machines.
    settings.put("consumer.max.poll.records", "5000");
    settings.put("consumer.max.partition.fetch.bytes", "4194304");
    settings.put("producer.batch.size", "131072");
    settings.put("producer.linger.ms", "20");
    settings.put("producer.buffer.memory", "67108864");
    return settings;
  }

  private static Progress progressOf(String bootstrap) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", bootstrap);
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
             settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = consumer.partitionsFor(INPUT).stream()
          .map(info -> new TopicPartition(INPUT, info.partition())).toList();
      Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
      Map<Integer, Long> ends = new HashMap<>();
      long records = 0;
      for (var end : consumer.endOffsets(partitions).entrySet()) {
        long count = end.getValue() - begins.get(end.getKey());
        if (count > 0) ends.put(end.getKey().partition(), end.getValue());
        records += count;
      }
      return new Progress(ends, records);
    }
  }

  private static Topology topology(String word, Progress progress, boolean cached) {
    var bytesIn = new ByteArrayDeserializer();
    var bytesOut = new ByteArraySerializer();
    Topology topology = new Topology();
    topology.addSource("lines", bytesIn, bytesIn, INPUT);
    topology.addProcessor("credit", CreditProcessor.supplier(progress, cached), "lines");
    for (String output : List.of("legal", "natural", "rejects", "windows")) {
      topology.addSink(output, output + "-" + word, bytesOut, bytesOut, "credit");
    }
    return topology;
  }

  public static void main(String[] arguments) throws Exception {
    Progress progress = progressOf(arguments[0]);
    Topology topology = topology(arguments[1], progress, Boolean.getBoolean("credit.cached"));
    KafkaStreams streams = new KafkaStreams(topology, settings(arguments));
    // Ends the process: a benchmark that went on would measure the error.
    streams.setUncaughtExceptionHandler(error -> {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
      return null;
    });
    streams.start();
    progress.await();
    streams.close(Duration.ofSeconds(60));  // commits
    System.out.println(progress.summary());
  }
}
