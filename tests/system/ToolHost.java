import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the main methods of Kafka's command-line tools one after the other in this one process, which saves each of them
 * the start of a JVM. Usage: ToolHost JAR, where JAR is the tools' own; all other jars stand on the class path.
 *
 * A request is a line of words in base64: what the tool reads from its input, its class, its arguments. The answer is a
 * line, too: the exit status, then output and error output in base64. ("-" is the empty word.)
 */
public final class ToolHost {
    /** Thrown where a tool would have ended the process. */
    private static final class Exited extends Error {
        private static final long serialVersionUID = 1;
    }

    private static Integer status;  // the first one that the tool asked for; null: it has not yet
    private static final List<Runnable> hooks = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        URL[] tools = {new File(args[0]).toURI().toURL()};
        PrintStream answers = System.out;
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        Exit.Procedure exit = (code, message) -> {
            if (status == null) {
                status = code;
                direct(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());  // some print what they catch
            }
            throw new Exited();
        };
        Exit.setExitProcedure(exit);
        Exit.setHaltProcedure(exit);
        Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));

        for (String line; (line = requests.readLine()) != null; ) {
            List<byte[]> words = new ArrayList<>();
            for (String word : line.split(" ")) {
                words.add(word.equals("-") ? new byte[0] : Base64.getDecoder().decode(word));
            }
            String[] call = words.stream().map(word -> new String(word, StandardCharsets.UTF_8)).toArray(String[]::new);
            answers.println(run(tools, words.get(0), call[1], Arrays.copyOfRange(call, 2, call.length)));
            answers.flush();
        }
    }

    /** Each run has the tools' classes anew: some count in static fields. */
    private static String run(URL[] tools, byte[] input, String name, String[] arguments) throws Exception {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        System.setIn(new ByteArrayInputStream(input));
        direct(output, errors);
        status = null;
        hooks.clear();
        try (URLClassLoader loader = new URLClassLoader(tools, ToolHost.class.getClassLoader())) {
            Thread.currentThread().setContextClassLoader(loader);
            try {
                Class.forName(name, true, loader).getMethod("main", String[].class).invoke(null, (Object) arguments);
            } catch (InvocationTargetException problem) {
                if (!(problem.getCause() instanceof Exited)) {
                    problem.getCause().printStackTrace();
                    status = status == null ? 1 : status;
                }
            }
            direct(output, errors);
            for (Runnable hook : List.copyOf(hooks)) {
                hook.run();
            }
        }
        return (status == null ? 0 : status) + " " + word(output) + " " + word(errors);
    }

    private static void direct(OutputStream output, OutputStream errors) {
        System.setOut(new PrintStream(output, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
    }

    private static String word(ByteArrayOutputStream bytes) {
        return bytes.size() == 0 ? "-" : Base64.getEncoder().encodeToString(bytes.toByteArray());
    }
}
