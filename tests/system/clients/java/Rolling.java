// Many Java consumers in one process, started and stopped by name: see ../../rolling_migration.py.
// Commands: "start NAME PROTOCOL", "stop NAME". Events: {"member": NAME, "assigned": N} when its partitions have changed,
// {"member": NAME, "records": [[partition, offset, epoch], ...]} before they are committed, {"member": NAME, "closed": true}.
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.StringDeserializer;

public final class Rolling {
  private static final Duration POLL = Duration.ofMillis(100);

  private final Map<String, Member> members = new HashMap<>();
  private final String bootstrap;
  private final String group;
  private final String topic;

  private Rolling(String bootstrap, String group, String topic) {
    this.bootstrap = bootstrap;
    this.group = group;
    this.topic = topic;
  }

  public static void main(String[] arguments) throws IOException {
    new Rolling(arguments[0], arguments[1], arguments[2]).obey();
  }

  private void obey() throws IOException {
    try (var input = new BufferedReader(new InputStreamReader(System.in))) {
      for (String line = input.readLine(); line != null; line = input.readLine()) {
        String[] words = line.split(" ");
        if (words[0].equals("start")) {
          var member = new Member(words[1], words[2]);
          members.put(words[1], member);
          member.start();
        } else {
          members.remove(words[1]).goesOn = false;
        }
      }
    }
  }

  private static synchronized void tell(String member, String event) {
    System.out.println("{\"member\": \"%s\", %s}".formatted(member, event));
    System.out.flush();
  }

  private final class Member extends Thread implements ConsumerRebalanceListener {
    private final String protocol;
    private final Set<Integer> assigned = new TreeSet<>();
    private volatile boolean goesOn = true;

    private Member(String name, String protocol) {
      super(name);
      this.protocol = protocol;
      setDaemon(true);
    }

    private Properties properties() {
      Properties properties = new Properties();
      properties.put("bootstrap.servers", bootstrap);
      properties.put("group.id", group);
      properties.put("client.id", getName());
      properties.put("auto.offset.reset", "earliest");
      properties.put("enable.auto.commit", "false");
      properties.put("group.protocol", protocol);
      if (protocol.equals("classic")) {
        properties.put("partition.assignment.strategy",
            "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
        properties.put("heartbeat.interval.ms", "500");
      }
      return properties;
    }

    @Override
    public void run() {
      var deserializer = new StringDeserializer();
      try (var consumer = new KafkaConsumer<>(properties(), deserializer, deserializer)) {
        consumer.subscribe(List.of(topic), this);
        while (goesOn) process(consumer, consumer.poll(POLL));
      } catch (RuntimeException problem) {
        tell(getName(), "\"error\": \"%s\"".formatted(problem.toString().replace('"', '\'')));
      }
      tell(getName(), "\"closed\": true");
    }

    // What was read counts as processed now, whether or not the commit comes through.
    private void process(KafkaConsumer<String, String> consumer, ConsumerRecords<String, String> records) {
      if (records.isEmpty()) return;
      int epoch = consumer.groupMetadata().generationId();
      tell(getName(), "\"records\": [%s]".formatted(StreamSupport.stream(records.spliterator(), false)
          .map(record -> "[%d, %d, %d]".formatted(record.partition(), record.offset(), epoch))
          .collect(Collectors.joining(", "))));
      try {
        consumer.commitSync();
      } catch (CommitFailedException | RebalanceInProgressException lost) {
        // The next owner reads these again, in another epoch.
        tell(getName(), "\"lost\": \"%s\"".formatted(lost.getClass().getSimpleName()));
      }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      for (TopicPartition partition : partitions) assigned.add(partition.partition());
      tell(getName(), "\"assigned\": %d".formatted(assigned.size()));
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      for (TopicPartition partition : partitions) assigned.remove(partition.partition());
      tell(getName(), "\"assigned\": %d".formatted(assigned.size()));
    }
  }
}
