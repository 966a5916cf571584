// Apache Kafka's Java consumer as a member of a group: see README.md.
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

public final class Member {
  private static final Map<String, String> ASSIGNORS = Map.of(
      "range", "org.apache.kafka.clients.consumer.RangeAssignor",
      "roundrobin", "org.apache.kafka.clients.consumer.RoundRobinAssignor",
      "cooperative-sticky", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
  private static final Pattern OPTION = Pattern.compile("\"(\\w+)\"\\s*:\\s*\"([^\"]*)\"");

  private final ConcurrentLinkedQueue<String> commands = new ConcurrentLinkedQueue<>();
  private final Set<Integer> assigned = new TreeSet<>();

  public static void main(String[] arguments) {
    new Member().run(arguments[0], arguments[1], arguments[2], options(arguments[3]));
  }

  private static Map<String, String> options(String json) {
    Matcher matcher = OPTION.matcher(json);
    return matcher.results().collect(Collectors.toMap(found -> found.group(1), found -> found.group(2)));
  }

  private static void tell(String event) {
    System.out.println(event);
    System.out.flush();
  }

  private static Properties properties(String bootstrap, String group, Map<String, String> options) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("group.id", group);
    properties.put("auto.offset.reset", "earliest");
    properties.put("enable.auto.commit", "false");
    properties.put("group.protocol", options.get("protocol"));
    if (options.get("protocol").equals("consumer")) {
      properties.put("group.remote.assignor", options.get("assignor"));
    } else {
      properties.put("partition.assignment.strategy", ASSIGNORS.get(options.get("assignor")));
    }
    if (options.containsKey("instance")) properties.put("group.instance.id", options.get("instance"));
    boolean isClassic = options.get("protocol").equals("classic");  // else the server says how long a session is
    if (isClassic && options.containsKey("instance")) properties.put("session.timeout.ms", options.get("session_ms"));
    return properties;
  }

  private void run(String bootstrap, String group, String topic, Map<String, String> options) {
    Thread reader = new Thread(this::readCommands);
    reader.setDaemon(true);
    reader.start();
    var deserializer = new StringDeserializer();
    try (var consumer = new KafkaConsumer<>(properties(bootstrap, group, options), deserializer, deserializer)) {
      consumer.subscribe(List.of(topic), new Listener());
      while (true) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(50))) {
          tell("{\"record\": [%d, %d, \"%s\"]}".formatted(record.partition(), record.offset(), record.value()));
        }
        String command = commands.poll();
        if (command == null) continue;
        if (command.equals("close")) break;
        consumer.commitSync();
        tell("{\"committed\": true}");
      }
    } catch (RuntimeException problem) {
      tell("{\"error\": \"%s\"}".formatted(problem.toString().replace('"', '\'')));
      throw problem;
    }
    tell("{\"closed\": true}");
  }

  private void readCommands() {
    try (var input = new BufferedReader(new InputStreamReader(System.in))) {
      for (String line = input.readLine(); line != null; line = input.readLine()) commands.add(line);
    } catch (IOException problem) {
      commands.add("close");
    }
  }

  private final class Listener implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      for (TopicPartition partition : partitions) assigned.add(partition.partition());
      tell("{\"assigned\": %s}".formatted(assigned));
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      for (TopicPartition partition : partitions) assigned.remove(partition.partition());
      tell("{\"assigned\": %s}".formatted(assigned));
    }
  }
}
